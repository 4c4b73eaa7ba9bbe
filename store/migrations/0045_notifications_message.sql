-- What a person is told, and how it travels. No text stands in any of these tables: titles are
-- constants per type, `ref` holds ids, an SMS waits sealed in its delivery row until it is sent.

-- table: notification distribute: patient_id with citizen
CREATE TABLE notification (
    patient_id uuid NOT NULL,
    notification_id uuid NOT NULL,
    type text NOT NULL,
    dedupe_key text NOT NULL,
    ref text NOT NULL,
    status text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT notification_pkey PRIMARY KEY (patient_id, notification_id),
    CONSTRAINT notification_dedupe UNIQUE (patient_id, dedupe_key),
    CONSTRAINT notification_status CHECK (status IN ('ring', 'silent')),
    CONSTRAINT notification_dedupe_key CHECK (length(dedupe_key) <= 200)
);

-- table: notification_receipt distribute: patient_id with citizen
CREATE TABLE notification_receipt (
    patient_id uuid NOT NULL,
    notification_id uuid NOT NULL,
    device_id uuid NOT NULL,
    kind text NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT notification_receipt_pkey PRIMARY KEY (patient_id, notification_id, device_id, kind),
    CONSTRAINT notification_receipt_kind CHECK (kind IN ('delivered', 'opened', 'acted'))
);

-- Where a device is reached: hashed to find it, sealed to use it, never in clear.
-- table: push_target distribute: patient_id with citizen
CREATE TABLE push_target (
    patient_id uuid NOT NULL,
    device_id uuid NOT NULL,
    kind text NOT NULL,
    value_hash bytea NOT NULL,
    value_sealed bytea NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT push_target_pkey PRIMARY KEY (patient_id, device_id),
    CONSTRAINT push_target_kind CHECK (kind IN ('fid', 'fcm_token'))
);
