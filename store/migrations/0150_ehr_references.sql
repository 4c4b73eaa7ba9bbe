-- `refs`: our ids, with a blank between, of what a row names that tells of other rows (ehr/references.py): what is
-- hidden takes its reports with it whenever they were sent. `hidden_by`: the hidings that cover the row. It stays,
-- whatever its sender makes of it, until the person ends them; `hidden_from` says from whom.
ALTER TABLE ehr_resource
    ADD COLUMN refs text,
    ADD COLUMN hidden_by uuid [];

-- Made before the first release: no table in use waits for it.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ehr_resource_by_refs ON ehr_resource (patient_id) WHERE refs IS NOT NULL;
