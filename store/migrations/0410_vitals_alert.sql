-- What the machine found outside a rule's limits: one row per episode, in the same transaction as its readings. severity:
-- 1 a warning, 2 critical. first_t, last_t: of the readings outside, as sent; from_t: where a second look begins;
-- closed_t: when it was over, by the readings; opened_at, closed_at: when this was seen. is_silent: shown, never pushed.
-- peak_v, peak_v2: the furthest outside. inputs: limits and the readings that confirmed it. rule_id stands for a row of
-- alert_rule or of the default set (set_version, rule_ver).
-- table: alert distribute: patient_id with citizen
CREATE TABLE alert (
    patient_id uuid NOT NULL,
    alert_id uuid NOT NULL,
    rule_id uuid NOT NULL,
    rule_ver int NOT NULL,
    set_version text NOT NULL,
    owner_role text NOT NULL,
    owner_id uuid,
    kind smallint NOT NULL,
    direction smallint NOT NULL,
    severity smallint NOT NULL,
    status text NOT NULL,
    is_silent boolean NOT NULL,
    from_t timestamptz NOT NULL,
    first_t timestamptz NOT NULL,
    last_t timestamptz NOT NULL,
    peak_v int NOT NULL,
    peak_v2 int,
    inputs jsonb NOT NULL,
    opened_at timestamptz NOT NULL,
    acked_at timestamptz,
    acked_by uuid,
    closed_t timestamptz,
    closed_at timestamptz,
    CONSTRAINT alert_pkey PRIMARY KEY (patient_id, alert_id),
    CONSTRAINT alert_role CHECK (owner_role IN ('default', 'citizen', 'doctor', 'guardian', 'follower')),
    CONSTRAINT alert_direction CHECK (direction IN (-1, 1)),
    CONSTRAINT alert_severity CHECK (severity IN (1, 2)),
    CONSTRAINT alert_status CHECK (status IN ('active', 'acked', 'closed', 'retracted')),
    CONSTRAINT alert_over CHECK ((status IN ('closed', 'retracted')) = (closed_at IS NOT NULL))
);

-- What stands open of some kinds, or overlaps a time that was touched.
CREATE INDEX alert_kind ON alert (patient_id, kind, last_t);
-- The newest of a person.
CREATE INDEX alert_opened ON alert (patient_id, opened_at);

-- Whose limits they were, when that person leaves.
CREATE INDEX alert_owner ON alert (owner_id) WHERE owner_id IS NOT NULL;

-- How far a rule was judged and what its person silenced, per direction. checkpoint: the machine after all readings up to
-- checkpoint_t, begun at checkpoint_from; snooze_severity: this one and what is milder stays silent until snooze_until.
-- table: alert_state distribute: patient_id with citizen
CREATE TABLE alert_state (
    patient_id uuid NOT NULL,
    rule_id uuid NOT NULL,
    direction smallint NOT NULL,
    checkpoint_from timestamptz,
    checkpoint_t timestamptz,
    checkpoint jsonb,
    snooze_until timestamptz,
    snooze_severity smallint,
    CONSTRAINT alert_state_pkey PRIMARY KEY (patient_id, rule_id, direction),
    CONSTRAINT alert_state_checkpoint CHECK ((checkpoint IS NULL) = (checkpoint_t IS NULL)),
    CONSTRAINT alert_state_snooze CHECK ((snooze_until IS NULL) = (snooze_severity IS NULL))
);
