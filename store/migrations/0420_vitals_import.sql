-- Files of measurements that were taken in, or are on the way. What lies between added_at and ended_at of the file's
-- device was brought by it. items: of the file, dealt with so far; a run that was cut off goes on behind them. blob_id:
-- NULL once the file is read, and where an operator read it from a disk. added_by: who sent it; NULL: an operator.
-- table: vital_import distribute: patient_id with citizen
CREATE TABLE vital_import (
    patient_id uuid NOT NULL,
    import_id uuid NOT NULL,
    added_by uuid,
    added_at timestamptz NOT NULL,
    sha256 bytea NOT NULL,
    length bigint NOT NULL,
    zone smallint,
    blob_id uuid,
    state text NOT NULL,
    form text,
    fault text,
    fault_where text,
    bytes_read bigint NOT NULL DEFAULT 0,
    items bigint NOT NULL DEFAULT 0,
    batches int NOT NULL DEFAULT 0,
    stored bigint NOT NULL DEFAULT 0,
    updated bigint NOT NULL DEFAULT 0,
    duplicate bigint NOT NULL DEFAULT 0,
    deleted bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    left_out bigint NOT NULL DEFAULT 0,
    refusals jsonb,
    ended_at timestamptz,
    CONSTRAINT vital_import_pkey PRIMARY KEY (patient_id, import_id),
    CONSTRAINT vital_import_state CHECK (state IN ('waiting', 'done', 'refused', 'withdrawn')),
    CONSTRAINT vital_import_ended CHECK ((ended_at IS NULL) = (state = 'waiting'))
);
-- One at a time.
CREATE UNIQUE INDEX vital_import_waiting ON vital_import (patient_id) WHERE state = 'waiting';
