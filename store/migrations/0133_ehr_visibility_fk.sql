ALTER TABLE ehr_hiding ADD CONSTRAINT ehr_hiding_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
