ALTER TABLE proxy_offer ADD CONSTRAINT proxy_offer_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
