-- What staff of a facility without software typed in. id_hash: of source and unit key, as in ehr_unit, so that
-- nobody but the same facility finds the row. No person stands here: the answer is the same for all (S19).
-- table: ehr_entry distribute: id_hash
CREATE TABLE ehr_entry (
    id_hash bytea NOT NULL,
    entry_id uuid NOT NULL,
    version int NOT NULL,
    status text NOT NULL CHECK (status IN ('recorded', 'amended', 'withdrawn')),
    recorded_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    recorded_by uuid NOT NULL,
    changed_by uuid NOT NULL,
    PRIMARY KEY (id_hash)
);
