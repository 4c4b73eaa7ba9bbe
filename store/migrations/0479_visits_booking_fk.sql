ALTER TABLE appointment_schedule ADD CONSTRAINT fk_appointment_schedule_facility FOREIGN KEY (facility_id)
REFERENCES facility (facility_id);

ALTER TABLE appointment ADD CONSTRAINT fk_appointment_citizen FOREIGN KEY (patient_id)
REFERENCES citizen (patient_id);
