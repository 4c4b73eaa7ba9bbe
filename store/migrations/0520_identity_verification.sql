-- Somebody on the way to an identity provider and back (vietnam.md §8). sealed: first nonce and PKCE verifier,
-- then what the provider said, until it is claimed or ten minutes are over. secret_hash: SHA-256 of what the
-- device keeps that started it; receipt_hash: of what the browser brings back, so that neither the starter nor
-- whoever went to the provider finishes alone.
-- table: identity_transaction distribute: transaction_id
CREATE TABLE identity_transaction (
    transaction_id uuid PRIMARY KEY,
    method text NOT NULL,
    provider text NOT NULL,
    purpose text NOT NULL,
    consent_id uuid,
    return_to text NOT NULL,
    state_hash bytea NOT NULL,
    secret_hash bytea NOT NULL,
    sealed bytea NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'asking', 'answered', 'claimed')),
    receipt_hash bytea,
    receipt_until timestamptz,
    verification_id uuid,
    started_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

-- The age of transactions, an hour's job.
CREATE INDEX identity_transaction_age ON identity_transaction (expires_at);

-- Results, for ever: the program's roles may read and add, nothing else. Nothing of a person stands here, so that
-- erasing one and another look-up key leave nothing behind.
-- table: identity_verification distribute: verification_id
CREATE TABLE identity_verification (
    verification_id uuid PRIMARY KEY,
    method text NOT NULL CHECK (method IN ('otp_phone', 'manual_staff', 'oidc', 'third_party')),
    provider text NOT NULL,
    level smallint NOT NULL CHECK (level BETWEEN 0 AND 2),
    purpose text NOT NULL,
    consent_id uuid,
    transaction_id uuid NOT NULL,
    at timestamptz NOT NULL
);

-- That a result was used: a second row for it cannot be.
-- table: identity_verification_use distribute: verification_id
CREATE TABLE identity_verification_use (
    verification_id uuid PRIMARY KEY,
    used_at timestamptz NOT NULL
);
