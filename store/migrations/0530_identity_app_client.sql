-- OAuth clients: partners' systems, and apps that people choose. Entered and changed by two operators.
-- table: app_client distribute: reference
CREATE TABLE app_client (
    client_id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    holder text NOT NULL,
    auth text NOT NULL,
    jwks text,
    jwks_uri text,
    redirect_uris text[] NOT NULL,
    scopes_max text[] NOT NULL,
    groups_max text[] NOT NULL,
    quota_per_day int NOT NULL,
    quota_per_minute int NOT NULL,
    webhook_uri text,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT app_client_pkey PRIMARY KEY (client_id),
    CONSTRAINT app_client_kind CHECK (kind IN ('partner', 'app')),
    CONSTRAINT app_client_auth CHECK (auth IN ('private_key_jwt', 'none')),
    CONSTRAINT app_client_keys CHECK ((auth = 'none') = (jwks IS NULL AND jwks_uri IS NULL))
);

-- Tokens of clients. jkt: the key that the token is bound to (RFC 9449). reference: the consent that an app's token
-- is bound to; a partner's names one in each call.
-- table: app_session distribute: client_id with citizen
CREATE TABLE app_session (
    client_id uuid NOT NULL,
    session_id uuid NOT NULL,
    access_hash bytea NOT NULL,
    access_until timestamptz NOT NULL,
    jkt text,
    reference uuid,
    scope text NOT NULL,
    refresh_hash bytea,
    rotations int NOT NULL,
    started_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    end_reason text,
    CONSTRAINT app_session_pkey PRIMARY KEY (client_id, session_id)
);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX app_session_by_access_hash ON app_session (client_id, access_hash);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX app_session_by_reference ON app_session (client_id, reference) WHERE ended_at IS NULL;
-- What has ended goes hour by hour.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX app_session_age ON app_session (expires_at);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX app_session_ended ON app_session (ended_at) WHERE ended_at IS NOT NULL;
