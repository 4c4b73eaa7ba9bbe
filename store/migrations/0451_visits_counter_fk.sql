ALTER TABLE counter ADD CONSTRAINT fk_counter_facility FOREIGN KEY (facility_id) REFERENCES facility (facility_id);

ALTER TABLE counter ADD CONSTRAINT fk_counter_unit FOREIGN KEY (unit_id) REFERENCES facility_unit (unit_id);

ALTER TABLE queue_day ADD CONSTRAINT fk_queue_day_counter FOREIGN KEY (facility_id, counter_id)
REFERENCES counter (facility_id, counter_id);

ALTER TABLE queue_ticket ADD CONSTRAINT fk_queue_ticket_counter FOREIGN KEY (facility_id, counter_id)
REFERENCES counter (facility_id, counter_id);
