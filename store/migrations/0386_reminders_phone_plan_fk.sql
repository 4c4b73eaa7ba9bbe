ALTER TABLE reminder_plan ADD CONSTRAINT fk_reminder_plan_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE reminder_plan_ack ADD CONSTRAINT fk_reminder_plan_ack_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
