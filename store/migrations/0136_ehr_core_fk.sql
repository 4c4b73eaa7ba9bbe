ALTER TABLE ehr_core_link
    ADD CONSTRAINT ehr_core_link_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE ehr_core_part
    ADD CONSTRAINT ehr_core_part_link FOREIGN KEY (patient_id, source_id)
    REFERENCES ehr_core_link (patient_id, source_id);
