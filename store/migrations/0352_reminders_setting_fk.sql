ALTER TABLE reminder_setting ADD CONSTRAINT fk_reminder_setting_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
