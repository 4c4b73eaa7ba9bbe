ALTER TABLE kiosk ADD CONSTRAINT fk_kiosk_facility FOREIGN KEY (facility_id) REFERENCES facility (facility_id);

ALTER TABLE kiosk ADD CONSTRAINT fk_kiosk_client FOREIGN KEY (client_id) REFERENCES facility_client (client_id);

ALTER TABLE kiosk_payment ADD CONSTRAINT fk_kiosk_payment_facility FOREIGN KEY (facility_id) REFERENCES facility (facility_id);

ALTER TABLE kiosk_payment ADD CONSTRAINT fk_kiosk_payment_client FOREIGN KEY (client_id) REFERENCES facility_client (client_id);

ALTER TABLE kiosk_payment ADD CONSTRAINT fk_kiosk_payment_counter FOREIGN KEY (facility_id, counter_id)
REFERENCES counter (facility_id, counter_id);
