-- A SMART Health Link that a person gave out. The address holds 256 random bits, kept as their digest; the key
-- of a static link is kept nowhere, that of a long-term one sealed. `attempts` counts wrong passcodes since the
-- link was armed: five lock it, and a new passcode arms it again. In force: ended_at IS NULL, locked_at IS NULL
-- and now < expires_at.
-- table: share_link distribute: patient_id with citizen
CREATE TABLE share_link (
    patient_id uuid NOT NULL,
    link_id uuid NOT NULL,
    label_sealed bytea NOT NULL,
    key_sealed bytea,
    passcode_salt bytea NOT NULL,
    passcode_hash bytea NOT NULL,
    arming int NOT NULL,
    attempts int NOT NULL,
    is_refreshed boolean NOT NULL,
    contents text[] NOT NULL,
    origins uuid[] NOT NULL,
    head_seq bigint NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    confirmed_at timestamptz,
    locked_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT share_link_pkey PRIMARY KEY (patient_id, link_id),
    CONSTRAINT share_link_attempts CHECK (attempts BETWEEN 0 AND 5),
    CONSTRAINT share_link_period CHECK (created_at < expires_at)
);

-- Which link an address opens.
-- table: share_link_address distribute: token_hash
CREATE TABLE share_link_address (
    token_hash bytea NOT NULL,
    patient_id uuid NOT NULL,
    link_id uuid NOT NULL,
    CONSTRAINT share_link_address_pkey PRIMARY KEY (token_hash)
);

-- What a link shows: each file lies encrypted under the link's key among the person's blobs. `shown` is the JSON
-- of [type, id] of every row in it, for the access log.
-- table: share_link_file distribute: patient_id with citizen
CREATE TABLE share_link_file (
    patient_id uuid NOT NULL,
    link_id uuid NOT NULL,
    content text NOT NULL,
    blob_id uuid NOT NULL,
    shown text NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT share_link_file_pkey PRIMARY KEY (patient_id, link_id, content)
);

-- Who opened a link, by the opener's own words, sealed.
-- table: share_link_opening distribute: patient_id with citizen
CREATE TABLE share_link_opening (
    patient_id uuid NOT NULL,
    link_id uuid NOT NULL,
    opening_id uuid NOT NULL,
    recipient_sealed bytea NOT NULL,
    opened_at timestamptz NOT NULL,
    CONSTRAINT share_link_opening_pkey PRIMARY KEY (patient_id, link_id, opening_id)
);

-- A way to one file of one opening, which works once, for a minute, and under the passcode that opened it.
-- table: share_link_ticket distribute: token_hash
CREATE TABLE share_link_ticket (
    token_hash bytea NOT NULL,
    patient_id uuid NOT NULL,
    link_id uuid NOT NULL,
    arming int NOT NULL,
    opening_id uuid NOT NULL,
    content text NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT share_link_ticket_pkey PRIMARY KEY (token_hash)
);
