ALTER TABLE person_listing ADD CONSTRAINT person_listing_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id) NOT VALID;

ALTER TABLE person_listing VALIDATE CONSTRAINT person_listing_citizen;
