-- Files of doses that an operator takes in, and how far each is. file_id: made of the system, the file's content
-- and the fields it was read by, so that the same file goes on where it stopped. Nothing of a person stands here.
-- table: first_fill_file distribute: file_id
CREATE TABLE first_fill_file (
    file_id uuid NOT NULL,
    system text NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    rows_done int NOT NULL,
    imported int NOT NULL,
    quarantined int NOT NULL,
    refused int NOT NULL,
    CONSTRAINT first_fill_file_pkey PRIMARY KEY (file_id)
);

-- Rows of which something is to be said: codes and names of fields, never a value, nor whose book.
-- table: first_fill_line distribute: file_id with first_fill_file
CREATE TABLE first_fill_line (
    file_id uuid NOT NULL,
    row_number int NOT NULL,
    status text NOT NULL
    CONSTRAINT first_fill_line_status CHECK (status IN ('imported', 'quarantined', 'refused')),
    reasons text NOT NULL,
    CONSTRAINT first_fill_line_pkey PRIMARY KEY (file_id, row_number)
);
