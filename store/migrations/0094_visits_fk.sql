ALTER TABLE check_in ADD CONSTRAINT fk_check_in_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE check_in ADD CONSTRAINT fk_check_in_facility FOREIGN KEY (facility_id) REFERENCES facility (facility_id);
