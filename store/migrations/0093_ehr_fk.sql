ALTER TABLE ehr_head ADD CONSTRAINT ehr_head_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE ehr_resource ADD CONSTRAINT ehr_resource_head FOREIGN KEY (patient_id) REFERENCES ehr_head (patient_id);

ALTER TABLE ehr_history ADD CONSTRAINT ehr_history_head FOREIGN KEY (patient_id) REFERENCES ehr_head (patient_id);
