-- Signed proofs of clients that were used: each counts once (RFC 7523 jti, RFC 9449 jti). They live for minutes.
-- table: oauth_proof_use distribute: proof_hash
CREATE TABLE oauth_proof_use (
    proof_hash bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT oauth_proof_use_pkey PRIMARY KEY (proof_hash)
);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX oauth_proof_use_age ON oauth_proof_use (expires_at);
