-- For which facilities health checks are exchanged with the ministry's axis, and on what basis: without a row that
-- has not ended nothing of a facility is sent or taken in. held_reason: the ministry refused a signature, so nothing
-- of this facility leaves until an operator goes on.
-- table: axis_sender distribute: facility_id
CREATE TABLE axis_sender (
    facility_id uuid NOT NULL,
    basis text NOT NULL,
    allowed_at timestamptz NOT NULL,
    ended_at timestamptz,
    held_at timestamptz,
    held_reason text,
    CONSTRAINT axis_sender_pkey PRIMARY KEY (facility_id),
    CONSTRAINT axis_sender_held CHECK ((held_at IS NULL) = (held_reason IS NULL))
);

-- A health check on its way to the axis. made_at: NULL until the message was made; from then on the same bytes leave
-- at every try (`body_sealed`, for `patient_id`), and they go once the axis has answered. due_by: 24 hours after the
-- facility recorded it. withdrawn_at: the facility took the check back after the message was made.
-- table: axis_message distribute: patient_id with citizen
CREATE TABLE axis_message (
    patient_id uuid NOT NULL,
    message_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    check_id uuid NOT NULL,
    state text NOT NULL,
    planned_at timestamptz NOT NULL,
    due_by timestamptz NOT NULL,
    made_at timestamptz,
    msg_id text,
    body_sealed bytea,
    body_sha256 bytea,
    left_out int NOT NULL DEFAULT 0,
    attempts int NOT NULL DEFAULT 0,
    failure text,
    settled_at timestamptz,
    reason text,
    receipt text,
    withdrawn_at timestamptz,
    CONSTRAINT axis_message_pkey PRIMARY KEY (patient_id, message_id),
    CONSTRAINT axis_message_state CHECK (state IN (
        'waiting', 'accepted', 'stopped', 'withheld', 'superseded', 'withdrawn', 'closed'
    )),
    CONSTRAINT axis_message_made CHECK ((made_at IS NULL) = (msg_id IS NULL)),
    CONSTRAINT axis_message_receipt CHECK (length(receipt) <= 65536)
);

-- A check that is recorded again before its message was made is told by that message.
CREATE UNIQUE INDEX axis_message_unmade ON axis_message (patient_id, facility_id, check_id)
WHERE state = 'waiting' AND made_at IS NULL;
-- What an operator has to look at is little, wherever it lies.
CREATE INDEX axis_message_open ON axis_message (patient_id, message_id)
WHERE state IN ('waiting', 'stopped');

-- Messages that came from the axis: each is dealt with once, and a repeat gets the first answer. digest: of header
-- and data. outcome: what became of it here; the axis is told `code` alone.
-- table: axis_inbound distribute: bucket
CREATE TABLE axis_inbound (
    bucket int NOT NULL,
    msg_id text NOT NULL,
    sender_id text NOT NULL,
    receiver_id text NOT NULL,
    sent_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    digest bytea NOT NULL,
    outcome text NOT NULL,
    reason text,
    code text NOT NULL,
    reply_id text NOT NULL,
    CONSTRAINT axis_inbound_pkey PRIMARY KEY (bucket, msg_id),
    CONSTRAINT axis_inbound_outcome CHECK (outcome IN (
        'taken', 'quarantined', 'kept-own', 'older-version', 'refused'
    ))
);
CREATE INDEX axis_inbound_received ON axis_inbound (bucket, received_at);
