-- The access log: one hash chain per person (consent.md §10). Append-only by grant: hb_api has INSERT and
-- SELECT on the log, and UPDATE on the head alone. No foreign key to citizen: a request about an unknown
-- subject is logged under a pseudo id, so that known and unknown persons cost the same statements.

-- table: audit_head distribute: patient_id with citizen
CREATE TABLE audit_head (
    patient_id uuid NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    prev bytea NOT NULL CHECK (length(prev) = 32),
    h bytea NOT NULL CHECK (length(h) = 32),
    PRIMARY KEY (patient_id)
) WITH (fillfactor = 70);

-- table: access_log distribute: patient_id with citizen
CREATE TABLE access_log (
    patient_id uuid NOT NULL,
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    actor_kind text NOT NULL,
    entry text NOT NULL,
    prev bytea NOT NULL,
    h bytea NOT NULL,
    salt bytea NOT NULL,
    actor_salt bytea NOT NULL,
    actor_name text,
    actor_licence text,
    facility_name text,
    PRIMARY KEY (patient_id, seq, at)
) PARTITION BY RANGE (at);

CREATE TABLE access_log_2026 PARTITION OF access_log FOR VALUES FROM ('2026-01-01Z') TO ('2027-01-01Z');

CREATE TABLE access_log_2027 PARTITION OF access_log FOR VALUES FROM ('2027-01-01Z') TO ('2028-01-01Z');

CREATE TABLE access_log_2028 PARTITION OF access_log FOR VALUES FROM ('2028-01-01Z') TO ('2029-01-01Z');

CREATE TABLE access_log_2029 PARTITION OF access_log FOR VALUES FROM ('2029-01-01Z') TO ('2030-01-01Z');

CREATE TABLE access_log_other PARTITION OF access_log DEFAULT;

-- The operators' log: one global chain (security.md S26), rarely written.
-- table: admin_head distribute: local
CREATE TABLE admin_head (
    chain text NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    prev bytea NOT NULL,
    h bytea NOT NULL,
    PRIMARY KEY (chain)
);

-- table: admin_event distribute: local
CREATE TABLE admin_event (
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    entry text NOT NULL,
    prev bytea NOT NULL,
    h bytea NOT NULL,
    PRIMARY KEY (seq)
);
