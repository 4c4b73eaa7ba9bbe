ALTER TABLE vital_device ADD CONSTRAINT fk_vital_device_citizen
FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
