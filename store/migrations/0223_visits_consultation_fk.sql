ALTER TABLE consultation ADD CONSTRAINT fk_consultation_citizen FOREIGN KEY (patient_id)
REFERENCES citizen (patient_id);

ALTER TABLE consultation_picture ADD CONSTRAINT fk_consultation_picture FOREIGN KEY (patient_id, consultation_id)
REFERENCES consultation (patient_id, consultation_id);
