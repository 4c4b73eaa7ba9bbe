ALTER TABLE alert ADD CONSTRAINT fk_alert_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
ALTER TABLE alert_state ADD CONSTRAINT fk_alert_state_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
