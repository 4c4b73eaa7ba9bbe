-- A counter of a facility: where people are called to by number. `code` stands in its QR code and on its screen,
-- no id of ours (consent.md §3.4). unit_id: the department it stands in.
-- table: counter distribute: facility_id with citizen
CREATE TABLE counter (
    facility_id uuid NOT NULL,
    counter_id uuid NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    unit_id uuid,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    CONSTRAINT counter_pkey PRIMARY KEY (facility_id, counter_id),
    CONSTRAINT counter_code CHECK (code ~ '^[0-9A-Z-]{1,20}$' AND code !~ '\n')
);

CREATE UNIQUE INDEX counter_open ON counter (facility_id, code) WHERE closed_at IS NULL;

-- The last number that a counter gave on a day in Vietnam: its row is held while one is given.
-- table: queue_day distribute: facility_id with citizen
CREATE TABLE queue_day (
    facility_id uuid NOT NULL,
    counter_id uuid NOT NULL,
    day date NOT NULL,
    last_number int NOT NULL,
    CONSTRAINT queue_day_pkey PRIMARY KEY (facility_id, counter_id, day)
);

-- A number in a line. `subject` is a keyed hash of facility, day and whoever holds it, known or not (security.md
-- S19); `turn` counts that subject's numbers of the day. arrival_id: what it was given for.
-- table: queue_ticket distribute: facility_id with citizen
CREATE TABLE queue_ticket (
    facility_id uuid NOT NULL,
    counter_id uuid NOT NULL,
    day date NOT NULL,
    number int NOT NULL,
    subject bytea NOT NULL,
    turn int NOT NULL,
    arrival_id uuid,
    taken_at timestamptz NOT NULL,
    valid_until timestamptz NOT NULL,
    called_at timestamptz,
    left_at timestamptz,
    CONSTRAINT queue_ticket_pkey PRIMARY KEY (facility_id, counter_id, day, number),
    CONSTRAINT queue_ticket_turn UNIQUE (facility_id, counter_id, day, subject, turn)
);

-- Who waits, in turn: whoever was called or left stands in it no more.
CREATE INDEX queue_ticket_waiting ON queue_ticket (facility_id, counter_id, day, number)
WHERE called_at IS NULL AND left_at IS NULL;

-- A withdrawn arrival takes its number out of the line.
CREATE INDEX queue_ticket_of_arrival ON queue_ticket (facility_id, arrival_id);

-- Days that are over go (security.md S30).
CREATE INDEX queue_ticket_age ON queue_ticket (day);

CREATE INDEX queue_day_age ON queue_day (day);
