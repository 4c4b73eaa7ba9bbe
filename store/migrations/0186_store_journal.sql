-- The journal outside the database (security.md S12), and how far it goes. Acts that no restored backup may undo
-- are numbered here in the transaction that takes their event from the outbox, and written out by the worker.
-- `beat` rises before the mark beside the journal says so: a database behind that mark was restored.
-- table: journal_position distribute: local
CREATE TABLE journal_position (
    singleton boolean NOT NULL,
    seq bigint NOT NULL,
    h bytea NOT NULL,
    beat bigint NOT NULL,
    CONSTRAINT journal_position_pkey PRIMARY KEY (singleton),
    CONSTRAINT journal_position_singleton CHECK (singleton)
);

-- Numbered and not yet written out.
-- table: journal_line distribute: local
CREATE TABLE journal_line (
    seq bigint NOT NULL,
    patient_id uuid NOT NULL,
    line text NOT NULL,
    CONSTRAINT journal_line_pkey PRIMARY KEY (seq)
);

-- One restore each: how far the journal was replayed into it. Nothing is served while one is not finished.
-- table: recovery distribute: reference
CREATE TABLE recovery (
    epoch int NOT NULL,
    began_at timestamptz NOT NULL,
    next_seq bigint NOT NULL,
    replayed bigint NOT NULL,
    finished_at timestamptz,
    CONSTRAINT recovery_pkey PRIMARY KEY (epoch)
);
