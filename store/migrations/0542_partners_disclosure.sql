-- What partners were handed, one row for each answer that left: the person reads it beside the access log.
-- table: partner_disclosure distribute: patient_id with citizen
CREATE TABLE partner_disclosure (
    patient_id uuid NOT NULL,
    disclosure_id uuid NOT NULL,
    client_id uuid NOT NULL,
    consent_id uuid NOT NULL,
    client_name text NOT NULL,
    receipt_id uuid NOT NULL,
    msg_id text NOT NULL,
    groups text[] NOT NULL,
    encounter_id text,
    entries int NOT NULL,
    payload_sha256 bytea NOT NULL,
    disclosed_at timestamptz NOT NULL,
    CONSTRAINT partner_disclosure_pkey PRIMARY KEY (patient_id, disclosure_id)
);

-- Which message of a client was received, so that one message has one receipt. Of nobody: it holds no person.
-- table: partner_message distribute: client_id with citizen
CREATE TABLE partner_message (
    client_id uuid NOT NULL,
    msg_id text NOT NULL,
    body_hash bytea NOT NULL,
    receipt_id uuid NOT NULL,
    received_at timestamptz NOT NULL,
    CONSTRAINT partner_message_pkey PRIMARY KEY (client_id, msg_id)
);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX partner_message_age ON partner_message (received_at);
