-- From a person to rows that lie by somebody else's id or by a hash: each erasure and each archive asks for them
-- (store/person_tables.py), and would read every shard whole. Made before the first release: no table in use waits.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX birth_link_of_mother ON birth_link (mother_id);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX birth_link_by_mother_of_newborn ON birth_link_by_mother (newborn_id);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX delivery_of_person ON delivery (patient_id);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ehr_core_patient_of_person ON ehr_core_patient (patient_id);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ehr_unit_of_person ON ehr_unit (patient_id);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX emergency_contact_code_of_person ON emergency_contact_code (patient_id);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX emergency_review_of_person ON emergency_review (patient_id);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX facility_access_report_of_person ON facility_access_report (patient_id);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX facility_case_of_person ON facility_case (patient_id);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX guardianship_of_guardian ON guardianship (guardian_id);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX guardianship_by_guardian_of_dependent ON guardianship_by_guardian (dependent_id);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX practitioner_emergency_of_person ON practitioner_emergency (patient_id);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX proxy_of_proxy ON proxy (proxy_id);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX proxy_by_proxy_of_dependent ON proxy_by_proxy (dependent_id);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX proxy_invitation_of_person ON proxy_invitation (patient_id);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX share_link_address_of_person ON share_link_address (patient_id);
