-- The few rows that say 'none known': found without reading the section.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ehr_resource_none_known ON ehr_resource (patient_id, section) WHERE negative;
