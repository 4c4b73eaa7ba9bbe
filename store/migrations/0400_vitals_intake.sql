-- Measurements as they were sent, by the client's id and version, with their hourly sums. Values are integers:
-- canonical unit x scale (vitals/kinds.py); `z` is the item's own offset from UTC in minutes, `source_id` a row of
-- vital_source. No partitions by time: the version rule needs the key (patient_id, id), which has no time in it.

-- Locked first: what one person sends is taken in one batch after the other. series_span: the longest series so far,
-- so that whoever looks for what lies in an hour knows how far back a series may begin.
-- archived_until: before it series were taken out, and hours are no longer made anew from rows.
-- table: vital_head distribute: patient_id with citizen
CREATE TABLE vital_head (
    patient_id uuid NOT NULL,
    last_batch_at timestamptz NOT NULL,
    series_span interval NOT NULL DEFAULT '0',
    archived_until timestamptz,
    CONSTRAINT vital_head_pkey PRIMARY KEY (patient_id)
);

-- priority: the lowest source of an hour counts for steps and energy.
-- table: vital_source distribute: patient_id with citizen
CREATE TABLE vital_source (
    patient_id uuid NOT NULL,
    source_id smallint NOT NULL,
    device_id text NOT NULL,
    app text NOT NULL,
    model text NOT NULL,
    kind text NOT NULL,
    method text NOT NULL,
    priority smallint NOT NULL,
    clock_offset_ms int NOT NULL,
    last_seen_at timestamptz NOT NULL,
    CONSTRAINT vital_source_pkey PRIMARY KEY (patient_id, source_id),
    CONSTRAINT vital_source_named UNIQUE (patient_id, device_id, app, model, kind, method),
    CONSTRAINT vital_source_method CHECK (method IN ('automatic', 'manual'))
);

-- table: vital_sample distribute: patient_id with citizen
CREATE TABLE vital_sample (
    patient_id uuid NOT NULL,
    id uuid NOT NULL,
    ver bigint NOT NULL,
    t timestamptz NOT NULL,
    end_t timestamptz,
    received_at timestamptz NOT NULL,
    v int NOT NULL,
    v2 int,
    kind smallint NOT NULL,
    source_id smallint NOT NULL,
    z smallint NOT NULL,
    ctx smallint,
    unit smallint NOT NULL,
    flags smallint NOT NULL,
    CONSTRAINT vital_sample_pkey PRIMARY KEY (patient_id, id)
);

CREATE INDEX vital_sample_time ON vital_sample (patient_id, kind, t) INCLUDE (v, v2, source_id);

-- One record of the client with its points packed (vitals/packing.py). The columns of extremes and sums let most
-- readers leave `pack` closed.
-- table: vital_series distribute: patient_id with citizen
CREATE TABLE vital_series (
    patient_id uuid NOT NULL,
    id uuid NOT NULL,
    ver bigint NOT NULL,
    t0 timestamptz NOT NULL,
    t1 timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    v_sum bigint NOT NULL,
    n int NOT NULL,
    kind smallint NOT NULL,
    source_id smallint NOT NULL,
    z smallint NOT NULL,
    ctx smallint,
    unit smallint NOT NULL,
    flags smallint NOT NULL,
    v_min smallint NOT NULL,
    v_max smallint NOT NULL,
    v_first smallint NOT NULL,
    v_last smallint NOT NULL,
    pack bytea NOT NULL,
    CONSTRAINT vital_series_pkey PRIMARY KEY (patient_id, id),
    CONSTRAINT vital_series_n CHECK (n > 0)
);

CREATE INDEX vital_series_time ON vital_series (patient_id, kind, t0);

-- What keeps an item out: one that was deleted (`ver` NULL: for good), or that a device no longer holds (`window`,
-- which a later `seq` of the same device lifts). kind: of an item that stood here.
-- table: vital_tomb distribute: patient_id with citizen
CREATE TABLE vital_tomb (
    patient_id uuid NOT NULL,
    id uuid NOT NULL,
    ver bigint,
    kind smallint,
    reason text NOT NULL,
    device_id text NOT NULL,
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT vital_tomb_pkey PRIMARY KEY (patient_id, id),
    CONSTRAINT vital_tomb_reason CHECK (reason IN ('deleted', 'window'))
);

-- Sums of one source in one hour. `day` is in the key: an hour of UTC lies on two days where a zone is half an hour
-- off, or where a traveller's points of one hour have different zones.
-- table: vital_hour distribute: patient_id with citizen
CREATE TABLE vital_hour (
    patient_id uuid NOT NULL,
    kind smallint NOT NULL,
    h timestamptz NOT NULL,
    day date NOT NULL,
    source_id smallint NOT NULL,
    n int NOT NULL,
    v_min int NOT NULL,
    v_max int NOT NULL,
    v_sum bigint NOT NULL,
    first_t timestamptz NOT NULL,
    last_t timestamptz NOT NULL,
    first_v int NOT NULL,
    last_v int NOT NULL,
    v2_min int,
    v2_max int,
    v2_sum bigint,
    CONSTRAINT vital_hour_pkey PRIMARY KEY (patient_id, kind, h, day, source_id),
    CONSTRAINT vital_hour_n CHECK (n > 0)
);

-- table: vital_latest distribute: patient_id with citizen
CREATE TABLE vital_latest (
    patient_id uuid NOT NULL,
    kind smallint NOT NULL,
    t timestamptz NOT NULL,
    v int NOT NULL,
    v2 int,
    source_id smallint NOT NULL,
    id uuid NOT NULL,
    CONSTRAINT vital_latest_pkey PRIMARY KEY (patient_id, kind)
);

-- What was answered, for a week, so that a batch whose answer was lost gets it again. ids_sha256: of the ids that it
-- named; repeats: how often the very same batch came again.
-- table: vital_batch distribute: patient_id with citizen
CREATE TABLE vital_batch (
    patient_id uuid NOT NULL,
    device_id text NOT NULL,
    seq bigint NOT NULL,
    sha256 bytea NOT NULL,
    ids_sha256 bytea NOT NULL,
    ack jsonb NOT NULL,
    clock_offset_ms int NOT NULL,
    repeats smallint NOT NULL DEFAULT 0,
    at timestamptz NOT NULL,
    CONSTRAINT vital_batch_pkey PRIMARY KEY (patient_id, device_id, seq)
);

CREATE INDEX vital_batch_at ON vital_batch (at);
