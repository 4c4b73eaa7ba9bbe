-- Who read how much in a month, by facility and practitioner: counts of the access log, made once after the month.
-- No person is in it, and no name: who a practitioner is, the register says.
-- table: accountability_line distribute: facility_id with citizen
CREATE TABLE accountability_line (
    facility_id uuid NOT NULL,
    month date NOT NULL,
    practitioner_id uuid NOT NULL,
    role text NOT NULL,
    requests int NOT NULL,
    reads int NOT NULL,
    people int NOT NULL,
    grants int NOT NULL,
    emergencies int NOT NULL,
    emergency_reads int NOT NULL,
    refusals int NOT NULL,
    people_in_an_hour int NOT NULL,
    reads_out_of_hours int NOT NULL,
    CONSTRAINT accountability_line_pkey PRIMARY KEY (facility_id, month, practitioner_id, role)
);

-- Months that were counted: a month is counted once, however often the chore comes by.
-- table: accountability_month distribute: reference
CREATE TABLE accountability_month (
    month date NOT NULL,
    counted_at timestamptz NOT NULL,
    CONSTRAINT accountability_month_pkey PRIMARY KEY (month)
);

-- Thresholds of an installation that differ from the program's.
-- table: accountability_threshold distribute: reference
CREATE TABLE accountability_threshold (
    name text NOT NULL,
    value int NOT NULL,
    CONSTRAINT accountability_threshold_pkey PRIMARY KEY (name),
    CONSTRAINT accountability_threshold_value CHECK (value BETWEEN 1 AND 100000)
);

-- Rows come in the order of their time, so a few pages of this index find a month; an append hardly touches it.
-- Made before the first release: no table in use waits for it.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX access_log_at ON access_log USING brin (at);
