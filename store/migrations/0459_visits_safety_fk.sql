ALTER TABLE visit_safety ADD CONSTRAINT fk_visit_safety_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
