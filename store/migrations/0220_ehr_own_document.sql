-- Files of papers that people add to a book; the words about them are rows of ehr_resource. `added_by` may
-- change the paper beside the person whose book it is. `patient_id` is the person under whose key the file lies,
-- which a merge does not change.
-- table: ehr_own_document distribute: patient_id with citizen
CREATE TABLE ehr_own_document (
    patient_id uuid NOT NULL,
    document_id uuid NOT NULL,
    item_id text NOT NULL,
    blob_id uuid NOT NULL,
    media_type text NOT NULL,
    length_bytes int NOT NULL,
    sha256 bytea NOT NULL,
    added_by uuid NOT NULL,
    added_at timestamptz NOT NULL,
    CONSTRAINT ehr_own_document_pkey PRIMARY KEY (patient_id, document_id),
    CONSTRAINT ehr_own_document_item UNIQUE (patient_id, item_id),
    CONSTRAINT ehr_own_document_type CHECK (media_type IN ('image/jpeg', 'image/png', 'application/pdf'))
);
