ALTER TABLE reminder_answer ADD CONSTRAINT fk_reminder_answer_reminder FOREIGN KEY (patient_id, reminder_id) REFERENCES reminder (patient_id, reminder_id);
