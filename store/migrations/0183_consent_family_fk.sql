ALTER TABLE grant_for_another ADD CONSTRAINT grant_for_another_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
