ALTER TABLE health_card ADD CONSTRAINT health_card_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
