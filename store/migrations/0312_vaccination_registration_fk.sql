ALTER TABLE slot ADD CONSTRAINT fk_slot_facility FOREIGN KEY (facility_id) REFERENCES facility (facility_id);

ALTER TABLE slot_booking ADD CONSTRAINT fk_slot_booking_slot FOREIGN KEY (facility_id, slot_id)
REFERENCES slot (facility_id, slot_id);

ALTER TABLE vaccination_campaign ADD CONSTRAINT fk_vaccination_campaign_facility FOREIGN KEY (facility_id)
REFERENCES facility (facility_id);

ALTER TABLE vaccination_registration ADD CONSTRAINT fk_vaccination_registration_citizen FOREIGN KEY (patient_id)
REFERENCES citizen (patient_id);

ALTER TABLE vaccination_registration ADD CONSTRAINT fk_vaccination_registration_campaign
FOREIGN KEY (campaign_id) REFERENCES vaccination_campaign (campaign_id);
