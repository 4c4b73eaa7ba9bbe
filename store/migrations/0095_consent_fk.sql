ALTER TABLE consent_grant ADD CONSTRAINT fk_consent_grant_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE consent_grant ADD CONSTRAINT fk_consent_grant_facility FOREIGN KEY (facility_id) REFERENCES facility (facility_id);
