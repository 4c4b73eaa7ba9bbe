-- What people add to a book themselves: few rows among many, and what a doctor said of each.
-- Made before the first release: no table in use waits for it.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ehr_resource_declared ON ehr_resource (patient_id, unit) WHERE state = 'self-declared';

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ehr_resource_verdict ON ehr_resource (patient_id, main_id)
WHERE rtype = 'VerificationResult';
