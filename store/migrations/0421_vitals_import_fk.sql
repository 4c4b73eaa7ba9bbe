ALTER TABLE vital_import ADD CONSTRAINT fk_vital_import_citizen
FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
