ALTER TABLE prescription ADD CONSTRAINT fk_prescription_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE prescription_line ADD CONSTRAINT fk_prescription_line_prescription FOREIGN KEY (patient_id, prescription_id) REFERENCES prescription (patient_id, prescription_id);

ALTER TABLE prescription_dispense ADD CONSTRAINT fk_prescription_dispense_prescription FOREIGN KEY (patient_id, prescription_id) REFERENCES prescription (patient_id, prescription_id);
