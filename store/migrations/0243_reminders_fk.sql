ALTER TABLE reminder ADD CONSTRAINT fk_reminder_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE reminder_occurrence ADD CONSTRAINT fk_reminder_occurrence_reminder FOREIGN KEY (patient_id, reminder_id) REFERENCES reminder (patient_id, reminder_id);
