-- Every batch asks what stands open or was over only lately; a person's alerts are never forgotten.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX alert_open ON alert (patient_id, kind) WHERE closed_at IS NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX alert_closed ON alert (patient_id, kind, closed_at) WHERE closed_at IS NOT NULL;
