ALTER TABLE exposure_list ADD CONSTRAINT fk_exposure_list_facility FOREIGN KEY (facility_id)
REFERENCES facility (facility_id);

ALTER TABLE exposure_hour ADD CONSTRAINT fk_exposure_hour_facility FOREIGN KEY (facility_id)
REFERENCES facility (facility_id);

ALTER TABLE exposure_entry ADD CONSTRAINT fk_exposure_entry_list FOREIGN KEY (list_id)
REFERENCES exposure_list (list_id);
