-- Where the record of a merged person goes: writers that still hold the old id follow it under the head's lock.
ALTER TABLE ehr_head ADD COLUMN moved_to uuid;

ALTER TABLE ehr_head ADD COLUMN moved_offset bigint;

-- Few rows of few books came from another person: found without reading the others.
-- Made before the first release: no table in use waits for it.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ehr_resource_by_origin ON ehr_resource (patient_id, origin_patient_id)
WHERE origin_patient_id IS NOT NULL;
