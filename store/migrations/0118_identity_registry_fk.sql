ALTER TABLE person_alias ADD CONSTRAINT person_alias_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE person_origin ADD CONSTRAINT person_origin_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE person_hold ADD CONSTRAINT person_hold_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE birth_link ADD CONSTRAINT birth_link_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE birth_link_by_mother ADD CONSTRAINT birth_link_by_mother_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE death_report ADD CONSTRAINT death_report_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
