ALTER TABLE share_link ADD CONSTRAINT fk_share_link_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE share_link_file ADD CONSTRAINT fk_share_link_file_link FOREIGN KEY (patient_id, link_id) REFERENCES share_link (patient_id, link_id);

ALTER TABLE share_link_opening ADD CONSTRAINT fk_share_link_opening_link FOREIGN KEY (patient_id, link_id) REFERENCES share_link (patient_id, link_id);

ALTER TABLE share_code ADD CONSTRAINT fk_share_code_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
