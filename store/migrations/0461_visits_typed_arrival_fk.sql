ALTER TABLE typed_arrival ADD CONSTRAINT fk_typed_arrival_facility FOREIGN KEY (facility_id) REFERENCES facility (facility_id);
