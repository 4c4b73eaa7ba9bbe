ALTER TABLE ehr_case ADD CONSTRAINT fk_ehr_case_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE ehr_case ADD CONSTRAINT fk_ehr_case_facility FOREIGN KEY (facility_id) REFERENCES facility (facility_id);

ALTER TABLE ehr_case_step ADD CONSTRAINT fk_ehr_case_step FOREIGN KEY (patient_id, case_id)
REFERENCES ehr_case (patient_id, case_id);

ALTER TABLE ehr_case_evidence ADD CONSTRAINT fk_ehr_case_evidence FOREIGN KEY (patient_id, case_id)
REFERENCES ehr_case (patient_id, case_id);

ALTER TABLE ehr_case_row ADD CONSTRAINT fk_ehr_case_row FOREIGN KEY (patient_id, case_id)
REFERENCES ehr_case (patient_id, case_id);

ALTER TABLE ehr_dispute ADD CONSTRAINT fk_ehr_dispute FOREIGN KEY (patient_id, case_id)
REFERENCES ehr_case (patient_id, case_id);
