-- The head alone points to its person: it is locked before anything else is written, and a check for every one of a
-- thousand rows would cost more than the row.
ALTER TABLE vital_head ADD CONSTRAINT fk_vital_head_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
