-- What clients are told of (RFC 8417): ids alone. Attempts until it arrives or is stopped; no person is in it.
-- table: partner_webhook distribute: client_id with citizen
CREATE TABLE partner_webhook (
    client_id uuid NOT NULL,
    event_id uuid NOT NULL,
    kind text NOT NULL,
    reference uuid NOT NULL,
    happened_at timestamptz NOT NULL,
    state text NOT NULL,
    attempts smallint NOT NULL,
    outcome text,
    -- A further change since the event was last taken to be sent.
    changed_at timestamptz,
    settled_at timestamptz,
    CONSTRAINT partner_webhook_pkey PRIMARY KEY (client_id, event_id),
    CONSTRAINT partner_webhook_kind CHECK (kind IN ('consent-ended', 'record-changed')),
    CONSTRAINT partner_webhook_state CHECK (state IN ('waiting', 'delivered', 'stopped', 'dropped')),
    CONSTRAINT partner_webhook_settled CHECK ((state = 'waiting') = (settled_at IS NULL))
);

-- Of one record one change waits at a time; however often it changes, it is told once.
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX partner_webhook_waiting ON partner_webhook (client_id, reference, kind) WHERE settled_at IS NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX partner_webhook_stopped ON partner_webhook (settled_at) WHERE state = 'stopped';
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX partner_webhook_age ON partner_webhook (settled_at) WHERE settled_at IS NOT NULL;
