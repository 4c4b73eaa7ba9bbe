-- table: idempotency_key distribute: actor_id with citizen
CREATE TABLE idempotency_key (
    actor_id uuid NOT NULL,
    route text NOT NULL,
    idempotency_key text NOT NULL,
    digest_key_id text NOT NULL,
    digest bytea NOT NULL,
    status integer,
    created_id text,
    created_at timestamptz NOT NULL,
    CONSTRAINT idempotency_key_pkey PRIMARY KEY (actor_id, route, idempotency_key),
    CONSTRAINT idempotency_key_created_id CHECK (length(created_id) <= 100)
);
CREATE INDEX idempotency_key_created_at ON idempotency_key (actor_id, created_at);
