-- What a person lets a partner or an app have, and until when. `reference` is what the client knows it by.
-- table: app_consent distribute: patient_id with citizen
CREATE TABLE app_consent (
    patient_id uuid NOT NULL,
    consent_id uuid NOT NULL,
    client_id uuid NOT NULL,
    kind text NOT NULL,
    client_name text NOT NULL,
    holder text NOT NULL,
    reference uuid NOT NULL,
    groups text[] NOT NULL,
    types text[] NOT NULL,
    scope text NOT NULL,
    verification_id uuid,
    device_id uuid,
    artefact text NOT NULL,
    created_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    confirmed_at timestamptz,
    ended_at timestamptz,
    end_reason text,
    last_used_at timestamptz,
    told_on date,
    CONSTRAINT app_consent_pkey PRIMARY KEY (patient_id, consent_id),
    CONSTRAINT app_consent_kind CHECK (kind IN ('partner', 'app')),
    CONSTRAINT app_consent_ended CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);

-- One that is not ended of each client.
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX app_consent_one_live ON app_consent (patient_id, client_id) WHERE ended_at IS NULL;

-- The client's side: which consent of whom a reference is.
-- table: app_consent_by_client distribute: client_id with citizen
CREATE TABLE app_consent_by_client (
    client_id uuid NOT NULL,
    reference uuid NOT NULL,
    patient_id uuid NOT NULL,
    consent_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT app_consent_by_client_pkey PRIMARY KEY (client_id, reference)
);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX app_consent_by_client_of_person ON app_consent_by_client (patient_id);
