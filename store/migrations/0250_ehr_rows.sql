-- Files of rows that a facility sent. file_sha256: of kind and content, so that the same file goes on where it
-- stopped. Nothing of a person stands here: what a row said is in the book it was written to.
-- table: ehr_row_file distribute: facility_id with citizen
CREATE TABLE ehr_row_file (
    facility_id uuid NOT NULL,
    file_sha256 bytea NOT NULL,
    file_id uuid NOT NULL,
    kind text NOT NULL,
    received_at timestamptz NOT NULL,
    rows_total int NOT NULL,
    sent_by uuid NOT NULL,
    CONSTRAINT ehr_row_file_pkey PRIMARY KEY (facility_id, file_sha256),
    CONSTRAINT ehr_row_file_by_id UNIQUE (facility_id, file_id)
);
CREATE INDEX ehr_row_file_recent ON ehr_row_file (facility_id, received_at, file_id);

-- What became of each row: codes and names of columns, never a value, nor whose book (security.md S19).
-- table: ehr_row_line distribute: facility_id with citizen
CREATE TABLE ehr_row_line (
    facility_id uuid NOT NULL,
    file_id uuid NOT NULL,
    row_number int NOT NULL,
    status text NOT NULL CONSTRAINT ehr_row_line_status CHECK (status IN ('accepted', 'refused')),
    reasons text NOT NULL,
    entry_id uuid,
    CONSTRAINT ehr_row_line_pkey PRIMARY KEY (facility_id, file_id, row_number)
);
