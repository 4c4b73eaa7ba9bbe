ALTER TABLE facility_unit ADD CONSTRAINT fk_facility_unit_facility FOREIGN KEY (facility_id) REFERENCES facility (facility_id);

ALTER TABLE practitioner_role ADD CONSTRAINT fk_practitioner_role_unit FOREIGN KEY (unit_id) REFERENCES facility_unit (unit_id);

ALTER TABLE check_in ADD CONSTRAINT fk_check_in_unit FOREIGN KEY (unit_id) REFERENCES facility_unit (unit_id);

ALTER TABLE emergency_access ADD CONSTRAINT fk_emergency_access_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE emergency_access ADD CONSTRAINT fk_emergency_access_unit FOREIGN KEY (unit_id) REFERENCES facility_unit (unit_id);

ALTER TABLE emergency_setting ADD CONSTRAINT fk_emergency_setting_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
