ALTER TABLE medicine_dismissal ADD CONSTRAINT fk_medicine_dismissal_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
