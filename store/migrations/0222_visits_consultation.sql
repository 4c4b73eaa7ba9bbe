-- Written questions to a facility or a doctor of it. `body`, `answer` and `share_code` are sealed for
-- `patient_id`; the share code is one of those that live ten minutes, and is removed with the next move.
-- table: consultation distribute: patient_id with citizen
CREATE TABLE consultation (
    patient_id uuid NOT NULL,
    consultation_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    practitioner_id uuid,
    asked_by uuid NOT NULL,
    state text NOT NULL,
    body bytea NOT NULL,
    answer bytea,
    share_code bytea,
    share_code_until timestamptz,
    asked_at timestamptz NOT NULL,
    answer_by timestamptz NOT NULL,
    accepted_by uuid,
    accepted_at timestamptz,
    answered_at timestamptz,
    ended_at timestamptz,
    overdue_at timestamptz,
    CONSTRAINT consultation_pkey PRIMARY KEY (patient_id, consultation_id),
    CONSTRAINT consultation_state CHECK (state IN (
        'asked', 'accepted', 'answered', 'closed', 'declined', 'withdrawn', 'expired'
    ))
);

-- table: consultation_picture distribute: patient_id with citizen
CREATE TABLE consultation_picture (
    patient_id uuid NOT NULL,
    consultation_id uuid NOT NULL,
    picture_id uuid NOT NULL,
    blob_of uuid NOT NULL,
    blob_id uuid NOT NULL,
    source_sha256 bytea NOT NULL,
    media_type text NOT NULL,
    length_bytes int NOT NULL,
    added_at timestamptz NOT NULL,
    CONSTRAINT consultation_picture_pkey PRIMARY KEY (patient_id, consultation_id, picture_id),
    CONSTRAINT consultation_picture_once UNIQUE (patient_id, consultation_id, source_sha256)
);

-- The same questions by the facility that answers. No text, no name.
-- table: facility_consultation distribute: facility_id with citizen
CREATE TABLE facility_consultation (
    facility_id uuid NOT NULL,
    consultation_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    practitioner_id uuid,
    state text NOT NULL,
    asked_at timestamptz NOT NULL,
    answer_by timestamptz NOT NULL,
    overdue_at timestamptz,
    CONSTRAINT facility_consultation_pkey PRIMARY KEY (facility_id, consultation_id)
);

-- An erasure finds a person's mirrors by it.
CREATE INDEX facility_consultation_of_person ON facility_consultation (patient_id);
