-- The prescriptions of a book, newest first: a line of one is a medicine of this category.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ehr_resource_by_prescription ON ehr_resource (patient_id, sort_at DESC, unit DESC)
WHERE category = 'prescription';
