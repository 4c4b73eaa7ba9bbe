-- A core that tells when something changed (ehr-core.md §2.2). What it tells names its own Patients, so the way
-- back from one of those to a person stands here. id_hash = SHA-256 of source_id and the core's id of the
-- Patient. A row that is no longer true makes the core asked once more, no more.
-- table: ehr_core_patient distribute: id_hash
CREATE TABLE ehr_core_patient (
    id_hash bytea NOT NULL,
    patient_id uuid NOT NULL,
    PRIMARY KEY (id_hash, patient_id)
);

-- One row per core. secret_sha256: of what the core shows us; the secret itself stands at the core alone.
-- seen_until: every event up to this number arrived; told: the highest number the core spoke of; ahead: arrived
-- numbers beyond seen_until + 1. caught_up_at: when everybody was asked for because events were missing.
-- table: ehr_core_subscription distribute: local
CREATE TABLE ehr_core_subscription (
    source_id text NOT NULL,
    secret_sha256 bytea NOT NULL CHECK (length(secret_sha256) = 32),
    subscription text,
    heartbeat_seconds int NOT NULL CHECK (heartbeat_seconds > 0),
    created_at timestamptz NOT NULL,
    heard_at timestamptz,
    seen_until bigint NOT NULL,
    told bigint NOT NULL,
    ahead bigint[] NOT NULL,
    caught_up_at timestamptz,
    PRIMARY KEY (source_id)
);
