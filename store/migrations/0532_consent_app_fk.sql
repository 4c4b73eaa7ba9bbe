ALTER TABLE app_consent ADD CONSTRAINT fk_app_consent_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
