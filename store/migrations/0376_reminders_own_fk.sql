ALTER TABLE reminder_own ADD CONSTRAINT fk_reminder_own_reminder FOREIGN KEY (patient_id, reminder_id) REFERENCES reminder (patient_id, reminder_id);
