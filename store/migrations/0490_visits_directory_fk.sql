ALTER TABLE facility_activation ADD CONSTRAINT fk_facility_activation_facility FOREIGN KEY (facility_id) REFERENCES facility (facility_id);

ALTER TABLE facility_listing ADD CONSTRAINT fk_facility_listing_facility FOREIGN KEY (facility_id) REFERENCES facility (facility_id);

ALTER TABLE facility_specialty ADD CONSTRAINT fk_facility_specialty_facility FOREIGN KEY (facility_id) REFERENCES facility (facility_id);
