ALTER TABLE partner_disclosure ADD CONSTRAINT fk_partner_disclosure_citizen
FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
