-- A number that was replaced or cancelled leads to its person for care before its end, and proves nothing new.
ALTER TABLE patient_identifier ADD COLUMN status text NOT NULL DEFAULT 'live';

ALTER TABLE patient_identifier ADD CONSTRAINT patient_identifier_status
    CHECK (status IN ('live', 'replaced', 'cancelled')) NOT VALID;

ALTER TABLE patient_identifier VALIDATE CONSTRAINT patient_identifier_status;

ALTER TABLE patient_identifier_rev ADD COLUMN status text NOT NULL DEFAULT 'live';

ALTER TABLE patient_identifier_rev ADD CONSTRAINT patient_identifier_rev_status
    CHECK (status IN ('live', 'replaced', 'cancelled')) NOT VALID;

ALTER TABLE patient_identifier_rev VALIDATE CONSTRAINT patient_identifier_rev_status;

-- A newborn and the mother that its birth note names, one row per end. It holds for this newborn's own record
-- and for these two persons as they were: no merge carries it over (security.md S10).
-- table: birth_link distribute: patient_id with citizen
CREATE TABLE birth_link (
    patient_id uuid NOT NULL,
    mother_id uuid NOT NULL,
    facility_id uuid,
    linked_at timestamptz NOT NULL,
    CONSTRAINT birth_link_pkey PRIMARY KEY (patient_id, mother_id)
);

-- table: birth_link_by_mother distribute: patient_id with citizen
CREATE TABLE birth_link_by_mother (
    patient_id uuid NOT NULL,
    newborn_id uuid NOT NULL,
    linked_at timestamptz NOT NULL,
    CONSTRAINT birth_link_by_mother_pkey PRIMARY KEY (patient_id, newborn_id)
);

-- Who said that a person died. `source` is a facility, or `notice` for two registry officers. What the person
-- objected to does not count again.
-- table: death_report distribute: patient_id with citizen
CREATE TABLE death_report (
    patient_id uuid NOT NULL,
    source text NOT NULL,
    reported_at timestamptz NOT NULL,
    objected_at timestamptz,
    CONSTRAINT death_report_pkey PRIMARY KEY (patient_id, source)
);

-- When the book freezes unless somebody objects (security.md S18).
ALTER TABLE citizen ADD COLUMN freeze_at timestamptz;
