ALTER TABLE notification_preference_set ADD CONSTRAINT fk_notification_preference_set_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
