-- A person's limits, whoever set them: every change is a new version, and the old ones stay. Limits as they were set, in
-- `unit`; what has no limit there falls back to the default set (vitals/alerts/defaults.json). In force: ended_at NULL.
-- table: alert_rule distribute: patient_id with citizen
CREATE TABLE alert_rule (
    patient_id uuid NOT NULL,
    rule_id uuid NOT NULL,
    ver int NOT NULL,
    owner_id uuid NOT NULL,
    owner_role text NOT NULL,
    kind smallint NOT NULL,
    direction smallint NOT NULL,
    unit text NOT NULL,
    warn float8,
    crit float8,
    warn2 float8,
    crit2 float8,
    made_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT alert_rule_pkey PRIMARY KEY (patient_id, rule_id, ver),
    CONSTRAINT alert_rule_ver CHECK (ver >= 1),
    CONSTRAINT alert_rule_role CHECK (owner_role IN ('citizen', 'doctor', 'guardian', 'follower')),
    CONSTRAINT alert_rule_direction CHECK (direction IN (-1, 1)),
    CONSTRAINT alert_rule_second CHECK ((warn2 IS NULL OR warn IS NOT NULL) AND (crit2 IS NULL OR crit IS NOT NULL)),
    CONSTRAINT alert_rule_span CHECK (ended_at >= made_at)
);
-- One in force for each.
CREATE UNIQUE INDEX alert_rule_in_force ON alert_rule (patient_id, rule_id) WHERE ended_at IS NULL;
-- Whose rules they are, when that person leaves.
CREATE INDEX alert_rule_owner ON alert_rule (owner_id);

-- Rows of the default set without a source that an operator named one for.
-- table: alert_default_confirmed distribute: reference
CREATE TABLE alert_default_confirmed (
    name text NOT NULL,
    source text NOT NULL,
    confirmed_at timestamptz NOT NULL,
    CONSTRAINT alert_default_confirmed_pkey PRIMARY KEY (name)
);
