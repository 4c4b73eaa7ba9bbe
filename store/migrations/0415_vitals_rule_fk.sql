ALTER TABLE alert_rule ADD CONSTRAINT fk_alert_rule_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
ALTER TABLE alert_delivery ADD CONSTRAINT fk_alert_delivery_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
