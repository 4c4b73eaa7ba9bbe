-- What a person said to each purpose of processing, append-only: the newest row of a purpose stands. `text_sha256`
-- proves which words were shown; `proof` is the signature where the device's step-up key gave it.
-- table: purpose_choice distribute: patient_id with citizen
CREATE TABLE purpose_choice (
    patient_id uuid NOT NULL,
    purpose text NOT NULL,
    seq int NOT NULL,
    choice_id uuid NOT NULL,
    version text NOT NULL,
    text_sha256 bytea NOT NULL,
    lang text NOT NULL,
    agreed boolean NOT NULL,
    device_id uuid,
    body_sha256 bytea,
    signature text,
    said_at timestamptz NOT NULL,
    CONSTRAINT purpose_choice_pkey PRIMARY KEY (patient_id, purpose, seq),
    CONSTRAINT purpose_choice_lang CHECK (lang IN ('vi', 'en'))
);

-- The clock of a withdrawal (Decree 356/2025): answered within two working days, done within 15 days, 20 where
-- others hold the data too, once longer by at most 15.
-- table: purpose_withdrawal distribute: patient_id with citizen
CREATE TABLE purpose_withdrawal (
    patient_id uuid NOT NULL,
    choice_id uuid NOT NULL,
    purpose text NOT NULL,
    opened_at timestamptz NOT NULL,
    answer_by timestamptz NOT NULL,
    done_by timestamptz NOT NULL,
    extended boolean NOT NULL,
    answered_at timestamptz,
    done_at timestamptz,
    CONSTRAINT purpose_withdrawal_pkey PRIMARY KEY (patient_id, choice_id)
);

CREATE INDEX purpose_withdrawal_open ON purpose_withdrawal (done_by) WHERE done_at IS NULL;
