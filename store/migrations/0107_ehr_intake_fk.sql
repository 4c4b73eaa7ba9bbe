ALTER TABLE facility_certificate ADD CONSTRAINT facility_certificate_facility
FOREIGN KEY (facility_id) REFERENCES facility (facility_id);
