-- Certificates and health cards of ours that hold no longer, by what a verifier can compute from one without us
-- (vaccination.md §7). No person in it: hashes of random identifiers. A row goes when its certificate would have ended.
-- `kid`: as in trust lists, base64 with padding of the 8 bytes, or a health card key's thumbprint.
-- table: certificate_revocation distribute: reference
CREATE TABLE certificate_revocation (
    kid text NOT NULL,
    kind text NOT NULL,
    hash bytea NOT NULL,
    revoked_at timestamptz NOT NULL,
    expires_at timestamptz,
    CONSTRAINT certificate_revocation_pkey PRIMARY KEY (kid, kind, hash),
    CONSTRAINT certificate_revocation_kind CHECK (kind IN ('uci', 'country-uci', 'signature', 'rid')),
    CONSTRAINT certificate_revocation_hash CHECK (length(hash) BETWEEN 1 AND 24)
);

CREATE INDEX certificate_revocation_end ON certificate_revocation (expires_at) WHERE expires_at IS NOT NULL;

-- How often the list of a key has changed: rises with each change and never falls (a card's `ctr`, an ETag).
-- table: certificate_revocation_list distribute: reference
CREATE TABLE certificate_revocation_list (
    kid text NOT NULL,
    changes bigint NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT certificate_revocation_list_pkey PRIMARY KEY (kid)
);
