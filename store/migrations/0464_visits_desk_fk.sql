ALTER TABLE look_up_count ADD CONSTRAINT fk_look_up_count_facility FOREIGN KEY (facility_id) REFERENCES facility (facility_id);

ALTER TABLE stay ADD CONSTRAINT fk_stay_facility FOREIGN KEY (facility_id) REFERENCES facility (facility_id);
