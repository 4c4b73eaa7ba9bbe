-- What a facility prescribed, as the national e-prescription says it: one row a code. What it says (medicines, doses,
-- diagnoses) stands in ehr_resource behind its one filter; here is what no FHIR text holds: the code, until when it can
-- be collected, and how far it was dispensed. `patient_id` is the person it was written for, which a merge does not
-- change. `prescription_id` is made of the code.
-- table: prescription distribute: patient_id with citizen
CREATE TABLE prescription (
    patient_id uuid NOT NULL,
    prescription_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    code text NOT NULL,
    kind text NOT NULL,
    unit text NOT NULL,
    issued_at timestamptz NOT NULL,
    collect_by date NOT NULL,
    state text NOT NULL,
    replaces_id uuid,
    replaced_by uuid,
    recorded_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT prescription_pkey PRIMARY KEY (patient_id, prescription_id),
    CONSTRAINT prescription_kind CHECK (kind IN ('N', 'H', 'C', 'T')),
    CONSTRAINT prescription_state CHECK (state IN ('standing', 'replaced', 'withdrawn'))
);

-- How much of each line was ordered and dispensed. The check is the last wall against dispensing twice.
-- table: prescription_line distribute: patient_id with citizen
CREATE TABLE prescription_line (
    patient_id uuid NOT NULL,
    prescription_id uuid NOT NULL,
    line int NOT NULL,
    ordered numeric(12, 3) NOT NULL,
    unit text NOT NULL,
    dispensed numeric(12, 3) NOT NULL,
    CONSTRAINT prescription_line_pkey PRIMARY KEY (patient_id, prescription_id, line),
    CONSTRAINT prescription_line_dispensed CHECK (dispensed >= 0 AND dispensed <= ordered)
);

-- What a pharmacy handed out, a row a line; one that was taken back stays, with when.
-- table: prescription_dispense distribute: patient_id with citizen
CREATE TABLE prescription_dispense (
    patient_id uuid NOT NULL,
    prescription_id uuid NOT NULL,
    dispense_id uuid NOT NULL,
    line int NOT NULL,
    quantity numeric(12, 3) NOT NULL,
    dispensed_on date NOT NULL,
    facility_id uuid NOT NULL,
    practitioner_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    taken_back_at timestamptz,
    CONSTRAINT prescription_dispense_pkey PRIMARY KEY (patient_id, prescription_id, dispense_id, line),
    CONSTRAINT prescription_dispense_quantity CHECK (quantity > 0)
);

-- Which prescription a code is: a keyed hash, so that nobody walks through codes in a copy of the table. It stands from
-- the first sending on, also while the person is not certain (`patient_id` NULL): what was sent is never sent otherwise.
-- table: prescription_code distribute: code_hash
CREATE TABLE prescription_code (
    code_hash bytea NOT NULL,
    prescription_id uuid NOT NULL,
    source_id text NOT NULL,
    content_sha256 bytea NOT NULL,
    state text NOT NULL,
    replaced_by uuid,
    patient_id uuid,
    sent_at timestamptz NOT NULL,
    CONSTRAINT prescription_code_pkey PRIMARY KEY (code_hash),
    CONSTRAINT prescription_code_state CHECK (state IN ('standing', 'replaced', 'withdrawn'))
);

CREATE INDEX prescription_code_person ON prescription_code (patient_id);

-- How far a line of a prescription was dispensed and when last, for every view of the medicine:
-- `partly:2026-11-22` or `wholly:2026-11-22`.
ALTER TABLE ehr_resource ADD COLUMN dispensed text;
