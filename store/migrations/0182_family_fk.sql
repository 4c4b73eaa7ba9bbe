ALTER TABLE guardianship ADD CONSTRAINT guardianship_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE guardianship_by_guardian ADD CONSTRAINT guardianship_by_guardian_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE proxy ADD CONSTRAINT proxy_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE proxy_by_proxy ADD CONSTRAINT proxy_by_proxy_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
