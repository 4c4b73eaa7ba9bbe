-- Other FHIR cores as sources of the record (ehr-core.md §2). What they hold stands in ehr_resource under
-- their source_id; here stands who the person is there, and how far and how lately each part was read.

-- state: linked = one Patient carries a number of the person and agrees in birth date, sex and name;
-- absent = none does; unasked = the core was never reached; conflict = several do; mismatch = it carries the number of somebody else (security.md S17).
-- Only a linked person is read. core_patient is the core's own id of its Patient.
-- table: ehr_core_link distribute: patient_id with citizen
CREATE TABLE ehr_core_link (
    patient_id uuid NOT NULL,
    source_id text NOT NULL,
    state text NOT NULL CHECK (state IN ('unasked', 'linked', 'absent', 'conflict', 'mismatch')),
    core_patient text,
    checked_at timestamptz NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (patient_id, source_id),
    CHECK (state <> 'linked' OR core_patient IS NOT NULL)
);

-- asked_at: when the last whole answer was asked for; watermark: from when the next one asks for changes.
-- whole: all of the part was read once, not only what is recent. complete: the core's counts agreed.
-- full_at: the last comparison of everything. failure: why the last try failed, a word of a closed list.
-- table: ehr_core_part distribute: patient_id with citizen
CREATE TABLE ehr_core_part (
    patient_id uuid NOT NULL,
    source_id text NOT NULL,
    part text NOT NULL CHECK (part IN ('clinical', 'events', 'immunizations', 'documents')),
    asked_at timestamptz,
    watermark timestamptz,
    full_at timestamptz,
    failed_at timestamptz,
    received int NOT NULL,
    refused int NOT NULL,
    whole boolean NOT NULL,
    complete boolean NOT NULL,
    failure text,
    PRIMARY KEY (patient_id, source_id, part)
);
