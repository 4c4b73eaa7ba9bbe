-- Whom a facility follows in a programme, by the facility: its own paper, sealed, and the day of the next visit.
-- patient_id is written when the book is known whose it is; a person in quarantine has none (S19).
-- table: programme_enrolment distribute: facility_id with citizen
CREATE TABLE programme_enrolment (
    facility_id uuid NOT NULL,
    enrolment_id uuid NOT NULL,
    patient_id uuid,
    programme text NOT NULL,
    status text NOT NULL,
    next_visit_on date,
    version int NOT NULL,
    recorded_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by uuid NOT NULL,
    sealed bytea NOT NULL,
    CONSTRAINT programme_enrolment_pkey PRIMARY KEY (facility_id, enrolment_id),
    CONSTRAINT programme_enrolment_status CHECK (status IN ('active', 'ended', 'withdrawn'))
);

-- The due list, longest overdue first.
CREATE INDEX programme_enrolment_due ON programme_enrolment (facility_id, next_visit_on, enrolment_id)
WHERE status = 'active' AND next_visit_on IS NOT NULL;

-- From a person to the rows: an erasure asks for them (store/person_tables.py).
CREATE INDEX programme_enrolment_of_person ON programme_enrolment (patient_id);
