ALTER TABLE ehr_own_document ADD CONSTRAINT fk_ehr_own_document FOREIGN KEY (patient_id)
REFERENCES citizen (patient_id);
