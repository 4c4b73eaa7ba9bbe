-- A person's stay at a facility, from the first check-in until leaving: how long it lasted. ended_by automatic: nobody
-- said when, so it has no length.
-- table: visit distribute: patient_id with citizen
CREATE TABLE visit (
    patient_id uuid NOT NULL,
    visit_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    began_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_by text,
    CONSTRAINT visit_pkey PRIMARY KEY (patient_id, visit_id),
    CONSTRAINT visit_ended_by CHECK (ended_by IN ('person', 'desk', 'automatic', 'withdrawn'))
);

-- Two devices at once open one.
CREATE UNIQUE INDEX visit_open ON visit (patient_id, facility_id) WHERE ended_at IS NULL;

-- `means` counter-qr: the person's own phone scanned the rotating code of a counter, online, which is presence.
-- poster, late (scanned before, sent now) and companion (somebody who acts for the person) are a ticket and no
-- presence (security.md S7).
-- squawk-ignore ban-drop-constraint
ALTER TABLE check_in DROP CONSTRAINT check_in_means;

-- A code that was drawn once is spent at one facility: scanned at a second it proves nothing.
-- squawk-ignore ban-drop-constraint
ALTER TABLE check_in DROP CONSTRAINT check_in_code;

-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX check_in_by_code ON check_in (patient_id, code_id);

ALTER TABLE check_in ADD COLUMN visit_id uuid;

ALTER TABLE check_in ADD COLUMN counter_id uuid;

ALTER TABLE check_in ADD COLUMN ticket_day date;

ALTER TABLE check_in ADD COLUMN ticket_number int;

-- Since then the person is not here any more: no presence.
ALTER TABLE check_in ADD COLUMN left_at timestamptz;

-- What is older than a month goes, whoever came (security.md S30); a block range is enough for that, and no look-up of
-- one person is ever tempted by it.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX check_in_at ON check_in USING brin (recorded_at);

CREATE INDEX visit_at ON visit USING brin (last_at);
