-- table: due_queue distribute: bucket
CREATE TABLE due_queue (
    bucket integer NOT NULL,
    kind text NOT NULL,
    ref text NOT NULL,
    due_at timestamptz NOT NULL,
    CONSTRAINT due_queue_pkey PRIMARY KEY (bucket, kind, ref),
    CONSTRAINT due_queue_bucket CHECK (bucket BETWEEN 0 AND 255),
    CONSTRAINT due_queue_kind CHECK (length(kind) <= 64),
    CONSTRAINT due_queue_ref CHECK (length(ref) <= 200)
);
CREATE INDEX due_queue_due_at ON due_queue (bucket, due_at);

-- table: outbox distribute: bucket
CREATE TABLE outbox (
    bucket integer NOT NULL,
    event_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    event text NOT NULL,
    ref text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    available_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY (bucket, event_id),
    CONSTRAINT outbox_bucket CHECK (bucket BETWEEN 0 AND 255),
    CONSTRAINT outbox_event CHECK (length(event) <= 64),
    CONSTRAINT outbox_ref CHECK (length(ref) <= 2000)
);
CREATE INDEX outbox_available_at ON outbox (bucket, available_at, event_id);
