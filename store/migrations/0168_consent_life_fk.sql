ALTER TABLE consent_block ADD CONSTRAINT consent_block_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE consent_delegation ADD CONSTRAINT consent_delegation_grant FOREIGN KEY (patient_id, grant_id) REFERENCES consent_grant (patient_id, grant_id);
