-- A client's wish to be let in, on its way through the person's browser: minutes, one decision, one code. The
-- client's answer goes to redirect_uri; what the person ticked becomes a consent (consent/apps), this row ends.
-- hint_hash: HMAC of the personal number that a partner says it is about; nobody is looked up by it.
-- ticked, ends_at, choice, signature: what the person agreed to in the own app, until the page's digits follow.
-- table: app_authorization distribute: request_id
CREATE TABLE app_authorization (
    request_id uuid NOT NULL,
    client_id uuid NOT NULL,
    phase text NOT NULL,
    redirect_uri text NOT NULL,
    state text,
    scope text NOT NULL,
    code_challenge text NOT NULL,
    jkt text,
    hint_hash bytea,
    pushed_hash bytea,
    browser_hash bytea,
    transaction_id uuid,
    verification_id uuid,
    patient_id uuid,
    level smallint NOT NULL DEFAULT 0,
    device_id uuid,
    ticked text[],
    ends_at timestamptz,
    choice text,
    signature text,
    digits_hash bytea,
    tries smallint NOT NULL DEFAULT 0,
    code_hash bytea,
    code_until timestamptz,
    reference uuid,
    granted text,
    session_id uuid,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT app_authorization_pkey PRIMARY KEY (request_id),
    CONSTRAINT app_authorization_phase CHECK (
        phase IN ('pushed', 'open', 'proven', 'looked-at', 'agreed', 'granted', 'redeemed', 'ended')
    )
);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX app_authorization_age ON app_authorization (expires_at);

-- Which wish the eight characters of a page are: HMAC(pepper, characters).
-- table: app_authorization_code distribute: code_hash
CREATE TABLE app_authorization_code (
    code_hash bytea NOT NULL,
    request_id uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT app_authorization_code_pkey PRIMARY KEY (code_hash)
);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX app_authorization_code_age ON app_authorization_code (expires_at);
