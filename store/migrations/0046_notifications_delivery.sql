-- One row per notification, device and channel; for SMS the device is the nil id.
-- An expired lease becomes `unknown` and is sent again with the same ids, never silently `sent`.
-- table: delivery distribute: bucket
CREATE TABLE delivery (
    bucket integer NOT NULL,
    delivery_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    notification_id uuid NOT NULL,
    device_id uuid NOT NULL,
    channel text NOT NULL,
    type text NOT NULL,
    collapse text NOT NULL,
    status text NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    lease_until timestamptz,
    expires_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    address_sealed bytea,
    text_sealed bytea,
    message_id text,
    error_code text,
    created_at timestamptz NOT NULL,
    CONSTRAINT delivery_pkey PRIMARY KEY (bucket, delivery_id),
    CONSTRAINT delivery_once UNIQUE (bucket, notification_id, device_id, channel),
    CONSTRAINT delivery_bucket CHECK (bucket BETWEEN 0 AND 255),
    CONSTRAINT delivery_channel CHECK (channel IN ('push', 'sms')),
    CONSTRAINT delivery_status CHECK (status IN ('pending', 'sending', 'sent', 'failed', 'unknown', 'dropped'))
);

CREATE INDEX delivery_due ON delivery (bucket, next_attempt_at) WHERE status IN ('pending', 'unknown');

CREATE INDEX delivery_sending ON delivery (bucket, device_id, collapse) WHERE status = 'sending';

CREATE INDEX delivery_text ON delivery (bucket, expires_at) WHERE text_sealed IS NOT NULL;
