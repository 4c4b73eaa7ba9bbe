-- Signatures under certificates (security.md S28). The API asks for one by a row, the signer gives one for it and
-- writes it into a log of its own, which the API can read and not write.

-- Keys that documents are signed with, as certified by the national authority. Only the owner changes them.
-- kid: as verifiers look for it, 8 bytes (HC1) or a thumbprint in ASCII (SHC). sign_until: the end of the key's
-- use, long before the certificate's.
-- table: document_signer distribute: reference
CREATE TABLE document_signer (
    key_id text NOT NULL CHECK (length(key_id) <= 40),
    purpose text NOT NULL CHECK (purpose IN ('hc1', 'shc')),
    alg text NOT NULL CHECK (alg IN ('ES256', 'PS256')),
    kid bytea NOT NULL CHECK (length(kid) BETWEEN 8 AND 43),
    certificate bytea NOT NULL CHECK (length(certificate) <= 8192),
    authority bytea NOT NULL CHECK (length(authority) <= 8192),
    not_before timestamptz NOT NULL,
    not_after timestamptz NOT NULL,
    sign_until timestamptz NOT NULL,
    daily_budget integer NOT NULL CHECK (daily_budget > 0),
    added_at timestamptz NOT NULL,
    retired_at timestamptz,
    CONSTRAINT document_signer_pkey PRIMARY KEY (key_id)
);

-- One row, one signature. It stays behind its person: what was signed can be counted for ever.
-- table: certificate_issuance distribute: patient_id with citizen
CREATE TABLE certificate_issuance (
    patient_id uuid NOT NULL,
    issuance_id uuid NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('hc1', 'shc')),
    key_id text NOT NULL,
    to_sign_sha256 bytea NOT NULL CHECK (length(to_sign_sha256) = 32),
    made_at timestamptz NOT NULL,
    signed_at timestamptz,
    CONSTRAINT certificate_issuance_pkey PRIMARY KEY (patient_id, issuance_id)
);

CREATE INDEX certificate_issuance_signed ON certificate_issuance (signed_at) WHERE signed_at IS NOT NULL;

-- The signer's log: one chain, as the operators' (audit/chain.py). Some thousand rows a day, written by one
-- process, so it stays in one place.
-- table: signing_head distribute: local
CREATE TABLE signing_head (
    chain text NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    prev bytea NOT NULL,
    h bytea NOT NULL,
    CONSTRAINT signing_head_pkey PRIMARY KEY (chain)
);

-- entry: JCS of {at, issuance, key, sha256}. One entry for each issuance, whatever becomes of its row.
-- table: signing_event distribute: local
CREATE TABLE signing_event (
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    issuance_id uuid NOT NULL,
    entry text NOT NULL CHECK (length(entry) <= 1000),
    prev bytea NOT NULL,
    h bytea NOT NULL,
    CONSTRAINT signing_event_pkey PRIMARY KEY (seq),
    CONSTRAINT signing_event_issuance UNIQUE (issuance_id)
);

CREATE INDEX signing_event_at ON signing_event (at);

-- How many signatures each key gave each day (UTC).
-- table: signing_day distribute: local
CREATE TABLE signing_day (
    key_id text NOT NULL,
    day date NOT NULL,
    signatures integer NOT NULL,
    CONSTRAINT signing_day_pkey PRIMARY KEY (key_id, day)
);
