-- What a person wishes (organ donation, limits of treatment, whom to trust), in versions: a new statement ends the
-- one before. `said_sealed` is in the person's own words. No legal document.
-- table: wish distribute: patient_id with citizen
CREATE TABLE wish (
    patient_id uuid NOT NULL,
    wish_id uuid NOT NULL,
    kind text NOT NULL,
    version int NOT NULL,
    said_sealed bytea NOT NULL,
    shown_to_doctors boolean NOT NULL,
    shown_on_paper boolean NOT NULL,
    body_sha256 bytea NOT NULL,
    signature text NOT NULL,
    said_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT wish_pkey PRIMARY KEY (patient_id, wish_id),
    CONSTRAINT wish_kind CHECK (kind IN ('organ-donation', 'treatment-limits', 'trusted-person'))
);

CREATE UNIQUE INDEX wish_live ON wish (patient_id, kind) WHERE ended_at IS NULL;
