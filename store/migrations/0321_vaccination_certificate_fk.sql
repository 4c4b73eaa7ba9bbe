ALTER TABLE vaccination_authority ADD CONSTRAINT vaccination_authority_facility FOREIGN KEY (facility_id) REFERENCES facility (facility_id);

ALTER TABLE vaccination_confirmation ADD CONSTRAINT vaccination_confirmation_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE vaccination_certificate ADD CONSTRAINT vaccination_certificate_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE vaccination_passport_name ADD CONSTRAINT vaccination_passport_name_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
