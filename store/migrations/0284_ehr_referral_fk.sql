ALTER TABLE referral ADD CONSTRAINT referral_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
