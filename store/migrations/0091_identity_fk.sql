ALTER TABLE facility_code ADD CONSTRAINT facility_code_facility FOREIGN KEY (facility_id) REFERENCES facility (facility_id);

ALTER TABLE practitioner_role ADD CONSTRAINT practitioner_role_practitioner FOREIGN KEY (practitioner_id) REFERENCES practitioner (practitioner_id);

ALTER TABLE practitioner_role ADD CONSTRAINT practitioner_role_facility FOREIGN KEY (facility_id) REFERENCES facility (facility_id);

ALTER TABLE facility_client ADD CONSTRAINT facility_client_facility FOREIGN KEY (facility_id) REFERENCES facility (facility_id);

ALTER TABLE person_report ADD CONSTRAINT person_report_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE patient_identifier_rev ADD CONSTRAINT patient_identifier_rev_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE phone ADD CONSTRAINT phone_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE device ADD CONSTRAINT device_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE step_up_use ADD CONSTRAINT step_up_use_device_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE citizen_pin ADD CONSTRAINT citizen_pin_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE activation_undo ADD CONSTRAINT activation_undo_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
