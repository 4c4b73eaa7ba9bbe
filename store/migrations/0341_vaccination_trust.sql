-- Lists of keys that others publish, each with the key that has to sign it (security.md S29). Two operators pin one;
-- what was loaded last stays until a newer one passes every rule.
-- signer: the public key (SPKI, DER). version 0: none was loaded yet. fresh_until: after it nobody on it is trusted.
-- table: trust_list distribute: reference
CREATE TABLE trust_list (
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 40),
    form text NOT NULL,
    issuer text,
    signer bytea NOT NULL CHECK (length(signer) <= 1024),
    max_age_days int NOT NULL CHECK (max_age_days > 0),
    version bigint NOT NULL,
    sha256 bytea,
    issued_at timestamptz,
    loaded_at timestamptz,
    fresh_until timestamptz,
    CONSTRAINT trust_list_pkey PRIMARY KEY (name),
    CONSTRAINT trust_list_form CHECK (form IN ('eu', 'did', 'jwks')),
    CONSTRAINT trust_list_issuer CHECK ((form = 'jwks') = (issuer IS NOT NULL))
);

-- A key of a list. One that a newer list left out stays as `terminated`, so that the verdict can say so.
-- digest: SHA-256 of spki; two keys may share a kid.
-- table: trust_key distribute: reference
CREATE TABLE trust_key (
    kid text NOT NULL CHECK (length(kid) <= 100),
    list_name text NOT NULL,
    digest bytea NOT NULL CHECK (length(digest) = 32),
    purpose text NOT NULL,
    spki bytea NOT NULL CHECK (length(spki) <= 1024),
    country text,
    issuer text,
    uses text [],
    not_before timestamptz,
    not_after timestamptz,
    state text NOT NULL,
    CONSTRAINT trust_key_pkey PRIMARY KEY (kid, list_name, digest),
    CONSTRAINT trust_key_purpose CHECK (purpose IN ('hc1', 'shc')),
    CONSTRAINT trust_key_state CHECK (state IN ('active', 'terminated', 'revoked'))
);

CREATE INDEX trust_key_of_list ON trust_key (list_name);
