-- How far the count of a month is: after which person of the log it goes on. Gone when the month stands.
-- table: accountability_run distribute: reference
CREATE TABLE accountability_run (
    month date NOT NULL,
    counted_up_to uuid NOT NULL,
    CONSTRAINT accountability_run_pkey PRIMARY KEY (month)
);

-- People of one clock hour, while a month is counted person by person; removed after it. Nobody's id but the
-- practitioner's.
-- table: accountability_hour distribute: facility_id with citizen
CREATE TABLE accountability_hour (
    facility_id uuid NOT NULL,
    month date NOT NULL,
    practitioner_id uuid NOT NULL,
    role text NOT NULL,
    hour timestamptz NOT NULL,
    people int NOT NULL,
    CONSTRAINT accountability_hour_pkey PRIMARY KEY (facility_id, month, practitioner_id, role, hour)
);
