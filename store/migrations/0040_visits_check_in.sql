-- Presence of a person at a facility, and how it was proven (security.md S7).
-- `means` citizen-qr: a device of the facility scanned the person's rotating code, which is presence.
-- `means` staff-typed: somebody typed a number, which is a ticket and no presence.
-- table: check_in distribute: patient_id with citizen
CREATE TABLE check_in (
    patient_id uuid NOT NULL,
    check_in_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    means text NOT NULL,
    code_id uuid NOT NULL,
    recorded_by uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT check_in_pkey PRIMARY KEY (patient_id, check_in_id),
    CONSTRAINT check_in_code UNIQUE (patient_id, facility_id, code_id),
    CONSTRAINT check_in_means CHECK (means IN ('citizen-qr', 'staff-typed'))
);

CREATE INDEX check_in_recent ON check_in (patient_id, facility_id, recorded_at);
