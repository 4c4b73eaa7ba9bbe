-- "Report this access": a person asks about one row of the own log. In codes alone; what was looked at stands in the
-- log. `overdue_at`: when it stands on the department's list unless something happens before; at once where no
-- facility stands behind the access (nil uuid); NULL once it is decided.
-- table: access_report distribute: patient_id with citizen
CREATE TABLE access_report (
    patient_id uuid NOT NULL,
    report_id uuid NOT NULL,
    seq bigint NOT NULL,
    reason text NOT NULL,
    state text NOT NULL,
    facility_id uuid NOT NULL,
    actor_kind text NOT NULL,
    actor_id uuid NOT NULL,
    action text NOT NULL,
    basis text,
    accessed_at timestamptz NOT NULL,
    opened_at timestamptz NOT NULL,
    acknowledge_by timestamptz NOT NULL,
    answer_by timestamptz NOT NULL,
    overdue_at timestamptz,
    acknowledged_at timestamptz,
    finding text,
    decided_by uuid,
    decided_at timestamptz,
    CONSTRAINT access_report_pkey PRIMARY KEY (patient_id, report_id),
    CONSTRAINT access_report_row UNIQUE (patient_id, seq),
    CONSTRAINT access_report_state CHECK (state IN ('open', 'acknowledged', 'upheld', 'not-upheld')),
    CONSTRAINT access_report_decided CHECK ((decided_at IS NULL) = (state IN ('open', 'acknowledged')))
);

-- The other end: what a facility's privacy officer answers, and what the department sees of it.
-- table: facility_access_report distribute: facility_id with citizen
CREATE TABLE facility_access_report (
    facility_id uuid NOT NULL,
    report_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    reason text NOT NULL,
    state text NOT NULL,
    opened_at timestamptz NOT NULL,
    acknowledge_by timestamptz NOT NULL,
    answer_by timestamptz NOT NULL,
    overdue_at timestamptz,
    CONSTRAINT facility_access_report_pkey PRIMARY KEY (facility_id, report_id)
);

-- The department's list walks the running reports of each shard, which are few.
CREATE INDEX facility_access_report_running ON facility_access_report (facility_id, overdue_at, report_id)
WHERE overdue_at IS NOT NULL;
