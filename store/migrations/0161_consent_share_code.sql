-- A code that a person reads to a registered practitioner, who gets a grant by it: eight characters, ten minutes,
-- once. The scope and the signed choice wait here for whoever redeems it.
-- table: share_code distribute: patient_id with citizen
CREATE TABLE share_code (
    patient_id uuid NOT NULL,
    code_id uuid NOT NULL,
    tier text NOT NULL,
    types text[] NOT NULL,
    since date,
    until date,
    duration_seconds int NOT NULL,
    labels int NOT NULL,
    choice text NOT NULL,
    signature text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    redeemed_at timestamptz,
    grant_id uuid,
    ended_at timestamptz,
    CONSTRAINT share_code_pkey PRIMARY KEY (patient_id, code_id),
    CONSTRAINT share_code_tier CHECK (tier IN ('A', 'B')),
    CONSTRAINT share_code_labels CHECK (labels BETWEEN 0 AND 255),
    CONSTRAINT share_code_redeemed CHECK ((redeemed_at IS NULL) = (grant_id IS NULL))
);

-- Which code these characters are: HMAC(pepper, characters).
-- table: share_code_by_hash distribute: code_hash
CREATE TABLE share_code_by_hash (
    code_hash bytea NOT NULL,
    patient_id uuid NOT NULL,
    code_id uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT share_code_by_hash_pkey PRIMARY KEY (code_hash)
);
