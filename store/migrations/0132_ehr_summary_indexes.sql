-- The newest result of each test without reading the others: the summary of a long record skips from test to test.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ehr_resource_by_series ON ehr_resource (
    patient_id, section, (left(coalesce(code, title_folded), 200)), sort_at DESC, id DESC
) WHERE section IN ('results', 'vital-signs', 'pregnancy', 'social');

-- What is active, without what was. A problem has no end in sight and is found newest first; a medicine has one.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ehr_resource_by_problem ON ehr_resource (patient_id, sort_at DESC, id DESC)
WHERE section = 'problems' AND active_until IS NOT NULL;

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ehr_resource_past_problem ON ehr_resource (patient_id, sort_at DESC, id DESC)
WHERE section = 'problems' AND active_until IS NULL;

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ehr_resource_by_active ON ehr_resource (patient_id, section, active_until)
WHERE active_until IS NOT NULL AND section <> 'problems';

-- What waits for its release, and what is hidden: few rows among many.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ehr_resource_by_release ON ehr_resource (patient_id, release_at) WHERE release_at IS NOT NULL;

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ehr_resource_hidden ON ehr_resource (patient_id) WHERE hidden_from IS NOT NULL;
