-- What a person says about the own book: an entry is wrong, a visit is somebody else's, a visit is missing.
-- The texts (`body`, `about`, `note`) are sealed for `patient_id`. `overdue_at`: when the case stands on the
-- department's list unless something happens before; NULL once it is closed. `facility_told`: false while a case
-- that follows from a number somebody typed at a desk is the person's own, until the person says "I was there": the
-- list of a facility must not tell whose number it was (security.md S19).
-- table: ehr_case distribute: patient_id with citizen
CREATE TABLE ehr_case (
    patient_id uuid NOT NULL,
    case_id uuid NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    facility_id uuid NOT NULL,
    rtype text,
    item_id text,
    item_version int,
    superseded_version int,
    visit_on date,
    check_in_id uuid,
    by_service boolean NOT NULL,
    opened_at timestamptz NOT NULL,
    acknowledge_by timestamptz NOT NULL,
    answer_by timestamptz NOT NULL,
    acknowledged_at timestamptz,
    answered_at timestamptz,
    closed_at timestamptz,
    overdue_at timestamptz,
    about bytea NOT NULL,
    body bytea NOT NULL,
    facility_told boolean NOT NULL,
    CONSTRAINT ehr_case_pkey PRIMARY KEY (patient_id, case_id),
    CONSTRAINT ehr_case_kind CHECK (kind IN ('correction', 'not-mine', 'missing-visit')),
    CONSTRAINT ehr_case_state CHECK (state IN (
        'open', 'acknowledged', 'refused', 'corrected', 'detached', 'restored', 'arrived', 'withdrawn', 'accepted'
    ))
);

CREATE INDEX ehr_case_running ON ehr_case (patient_id, facility_id) WHERE overdue_at IS NOT NULL;

-- Each act on a case, in order: its trail. `actor_id` is NULL where the service acted.
-- table: ehr_case_step distribute: patient_id with citizen
CREATE TABLE ehr_case_step (
    patient_id uuid NOT NULL,
    case_id uuid NOT NULL,
    step int NOT NULL,
    at timestamptz NOT NULL,
    act text NOT NULL,
    state text NOT NULL,
    side text NOT NULL,
    actor_id uuid,
    note bytea,
    CONSTRAINT ehr_case_step_pkey PRIMARY KEY (patient_id, case_id, step),
    CONSTRAINT ehr_case_step_side CHECK (side IN ('person', 'facility', 'service'))
);

-- Pictures that came with a case. `source_sha256` is of what was uploaded: the same picture twice is one.
-- `blob_of` is the person under whose key the blob lies, which a merge does not change.
-- table: ehr_case_evidence distribute: patient_id with citizen
CREATE TABLE ehr_case_evidence (
    patient_id uuid NOT NULL,
    case_id uuid NOT NULL,
    evidence_id uuid NOT NULL,
    blob_of uuid NOT NULL,
    blob_id uuid NOT NULL,
    source_sha256 bytea NOT NULL,
    media_type text NOT NULL,
    length_bytes int NOT NULL,
    added_at timestamptz NOT NULL,
    CONSTRAINT ehr_case_evidence_pkey PRIMARY KEY (patient_id, case_id, evidence_id),
    CONSTRAINT ehr_case_evidence_once UNIQUE (patient_id, case_id, source_sha256)
);

-- The rows that "not mine" took out of every view, and what they were before.
-- table: ehr_case_row distribute: patient_id with citizen
CREATE TABLE ehr_case_row (
    patient_id uuid NOT NULL,
    case_id uuid NOT NULL,
    rtype text NOT NULL,
    id text NOT NULL,
    state_before text NOT NULL,
    CONSTRAINT ehr_case_row_pkey PRIMARY KEY (patient_id, case_id, rtype, id)
);

-- What stays out of the views whenever it is sent again: one unit, one visit or, with neither, all of a source.
-- table: ehr_dispute distribute: patient_id with citizen
CREATE TABLE ehr_dispute (
    patient_id uuid NOT NULL,
    case_id uuid NOT NULL,
    source_id text NOT NULL,
    unit text,
    encounter_id text,
    whole_source boolean NOT NULL,
    CONSTRAINT ehr_dispute_pkey PRIMARY KEY (patient_id, case_id)
);

-- The same cases by the facility that has to answer. No text, no name.
-- table: facility_case distribute: facility_id with citizen
CREATE TABLE facility_case (
    facility_id uuid NOT NULL,
    case_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    opened_at timestamptz NOT NULL,
    acknowledge_by timestamptz NOT NULL,
    answer_by timestamptz NOT NULL,
    overdue_at timestamptz,
    CONSTRAINT facility_case_pkey PRIMARY KEY (facility_id, case_id)
);

-- The department's list walks the running cases of each shard, which are few.
CREATE INDEX facility_case_running ON facility_case (facility_id, overdue_at, case_id) WHERE overdue_at IS NOT NULL;

-- Days that the government moves every year: works = false is a day off, true a Saturday that is worked.
-- table: calendar_day distribute: reference
CREATE TABLE calendar_day (
    day date NOT NULL,
    works boolean NOT NULL,
    CONSTRAINT calendar_day_pkey PRIMARY KEY (day)
);

-- Terms of an installation that differ from the program's.
-- table: case_term distribute: reference
CREATE TABLE case_term (
    kind text NOT NULL,
    answer_days int NOT NULL,
    counted text NOT NULL,
    CONSTRAINT case_term_pkey PRIMARY KEY (kind),
    CONSTRAINT case_term_days CHECK (answer_days BETWEEN 1 AND 90),
    CONSTRAINT case_term_counted CHECK (counted IN ('calendar', 'working'))
);

-- The person disputes what this row says; it is shown with a note until that is settled.
ALTER TABLE ehr_resource ADD COLUMN contested boolean NOT NULL DEFAULT false;
