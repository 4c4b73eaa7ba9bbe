-- Practitioners in danger (security.md S27): who is protected and until when. Why, and by which two people, stands in
-- register_change and in the operators' chain. A row past its time protects nobody and stays as its own trail.
-- table: protected_practitioner distribute: reference
CREATE TABLE protected_practitioner (
    practitioner_id uuid NOT NULL,
    protected_at timestamptz NOT NULL,
    protected_until timestamptz NOT NULL,
    CONSTRAINT protected_practitioner_pkey PRIMARY KEY (practitioner_id)
);

-- To whom the health department named a protected practitioner, on which report of an access.
-- table: actor_unmasking distribute: patient_id with citizen
CREATE TABLE actor_unmasking (
    patient_id uuid NOT NULL,
    practitioner_id uuid NOT NULL,
    report_id uuid NOT NULL,
    unmasked_by uuid NOT NULL,
    unmasked_at timestamptz NOT NULL,
    CONSTRAINT actor_unmasking_pkey PRIMARY KEY (patient_id, practitioner_id)
);
