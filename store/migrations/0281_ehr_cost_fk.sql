ALTER TABLE ehr_cost ADD CONSTRAINT ehr_cost_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
