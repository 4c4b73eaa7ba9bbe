ALTER TABLE visit ADD CONSTRAINT fk_visit_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE visit ADD CONSTRAINT fk_visit_facility FOREIGN KEY (facility_id) REFERENCES facility (facility_id);
