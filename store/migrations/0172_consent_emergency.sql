-- Broken glass: one opening of one book by one practitioner of an emergency unit (security.md S24, consent.md §5).
-- In force: co-signed where it must be, not ended, and now < ends_at. `reason_text` and `dispute_text` are sealed for
-- `patient_id`. `arrival_by`: until when the arrival may come afterwards, in a unit with one account; NULL where it
-- had to be there. `told_from`: when the person is told; later than the opening under a coded safety flag alone.
-- table: emergency_access distribute: patient_id with citizen
CREATE TABLE emergency_access (
    patient_id uuid NOT NULL,
    emergency_id uuid NOT NULL,
    version int NOT NULL,
    practitioner_id uuid NOT NULL,
    practitioner_role_id uuid NOT NULL,
    practitioner_name text NOT NULL,
    licence text NOT NULL,
    facility_id uuid NOT NULL,
    facility_name text NOT NULL,
    unit_id uuid NOT NULL,
    unit_name text NOT NULL,
    reason text NOT NULL,
    reason_text bytea NOT NULL,
    safety_flag text,
    told_from timestamptz NOT NULL,
    opened_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    arrival_by timestamptz,
    needs_cosign boolean NOT NULL,
    cosigned_by uuid,
    cosigned_at timestamptz,
    extended_by uuid,
    extended_at timestamptz,
    labels int NOT NULL,
    labels_by uuid,
    labels_at timestamptz,
    read_told_on date,
    ended_at timestamptz,
    end_reason text,
    disputed_at timestamptz,
    dispute text,
    dispute_text bytea,
    verdict text,
    reviewed_at timestamptz,
    CONSTRAINT emergency_access_pkey PRIMARY KEY (patient_id, emergency_id),
    CONSTRAINT emergency_access_period CHECK (opened_at < ends_at),
    CONSTRAINT emergency_access_labels CHECK (labels BETWEEN 0 AND 255),
    CONSTRAINT emergency_access_end CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    CONSTRAINT emergency_access_end_reason CHECK (end_reason IN ('person', 'dispute')),
    CONSTRAINT emergency_access_verdict CHECK (verdict IN ('justified', 'not-justified', 'misuse')),
    CONSTRAINT emergency_access_other CHECK (practitioner_id NOT IN (cosigned_by, extended_by, labels_by))
);

CREATE INDEX emergency_access_live ON emergency_access (patient_id, practitioner_id, ends_at);

-- The same by the practitioner who opened it: what the third of a day is counted by, and whose arrival is awaited.
-- table: practitioner_emergency distribute: actor_id with citizen
CREATE TABLE practitioner_emergency (
    actor_id uuid NOT NULL,
    emergency_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    opened_at timestamptz NOT NULL,
    arrival_by timestamptz,
    CONSTRAINT practitioner_emergency_pkey PRIMARY KEY (actor_id, emergency_id)
);

CREATE INDEX practitioner_emergency_opened ON practitioner_emergency (actor_id, opened_at);

-- The same by the facility: where colleagues co-sign and its reviewer closes it ('first'); a tenth is read again at
-- another facility ('second'), under the nil id where no other one has a reviewer.
-- table: emergency_review distribute: facility_id with citizen
CREATE TABLE emergency_review (
    facility_id uuid NOT NULL,
    emergency_id uuid NOT NULL,
    kind text NOT NULL,
    patient_id uuid NOT NULL,
    practitioner_id uuid NOT NULL,
    practitioner_name text NOT NULL,
    unit_id uuid NOT NULL,
    unit_name text NOT NULL,
    opened_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    needs_cosign boolean NOT NULL,
    due_at timestamptz NOT NULL,
    disputed_at timestamptz,
    closed_at timestamptz,
    verdict text,
    reviewer_id uuid,
    note bytea,
    CONSTRAINT emergency_review_pkey PRIMARY KEY (facility_id, emergency_id),
    CONSTRAINT emergency_review_kind CHECK (kind IN ('first', 'second')),
    CONSTRAINT emergency_review_closed CHECK ((closed_at IS NULL) = (verdict IS NULL))
);

CREATE INDEX emergency_review_open ON emergency_review (facility_id, due_at, emergency_id) WHERE closed_at IS NULL;

-- What a person leaves out of break-glass. No row: nothing.
-- table: emergency_setting distribute: patient_id with citizen
CREATE TABLE emergency_setting (
    patient_id uuid NOT NULL,
    withheld text[] NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT emergency_setting_pkey PRIMARY KEY (patient_id)
);
