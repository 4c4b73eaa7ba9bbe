ALTER TABLE consent_block ADD CONSTRAINT consent_block_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
