-- Rights over one's data (Law 91/2025; vietnam.md §9): what was asked for and until when it is answered and done.
-- No text of the person: what it is about is its kind. Kept when the person is erased, with no way back to a name.
-- table: rights_request distribute: patient_id with citizen
CREATE TABLE rights_request (
    patient_id uuid NOT NULL,
    request_id uuid NOT NULL,
    kind text NOT NULL,
    opened_at timestamptz NOT NULL,
    answer_by timestamptz NOT NULL,
    done_by timestamptz NOT NULL,
    extended_at timestamptz,
    answered_at timestamptz,
    done_at timestamptz,
    outcome text,
    CONSTRAINT rights_request_pkey PRIMARY KEY (patient_id, request_id),
    CONSTRAINT rights_request_kind CHECK (kind IN ('access', 'erasure', 'closing', 'restriction', 'objection')),
    CONSTRAINT rights_request_outcome CHECK (outcome IN ('done', 'refused', 'cancelled'))
);

-- What runs is few, whatever was ever asked.
CREATE INDEX rights_request_running ON rights_request (patient_id, done_by) WHERE done_at IS NULL;

-- Erasing one person: waits, so that whoever stole a phone does not destroy a book, and can be cancelled till then.
-- table: erasure distribute: patient_id with citizen
CREATE TABLE erasure (
    patient_id uuid NOT NULL,
    request_id uuid NOT NULL,
    state text NOT NULL,
    asked_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    began_at timestamptz,
    done_at timestamptz,
    CONSTRAINT erasure_pkey PRIMARY KEY (patient_id),
    CONSTRAINT erasure_state CHECK (state IN ('waiting', 'cancelled', 'erasing', 'sweeping', 'erased'))
);

-- A breach of personal data and its clock of 72 hours (Law 91/2025). Operators' words, none about a person.
-- table: breach distribute: reference
CREATE TABLE breach (
    breach_id uuid NOT NULL,
    noticed_at timestamptz NOT NULL,
    notify_by timestamptz NOT NULL,
    kinds text[] NOT NULL,
    people int NOT NULL,
    happened text NOT NULL,
    measures text NOT NULL,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL,
    people_told int NOT NULL,
    authority_told_at timestamptz,
    authority_ref text,
    closed_at timestamptz,
    CONSTRAINT breach_pkey PRIMARY KEY (breach_id),
    CONSTRAINT breach_people CHECK (people >= 0 AND people_told >= 0)
);

-- The other ends of a person's rows, found when the person is erased without reading everybody's.
-- Made before the first release: no table in use waits for it.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX practitioner_grant_by_patient ON practitioner_grant (patient_id);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX practitioner_request_by_patient ON practitioner_request (patient_id);
