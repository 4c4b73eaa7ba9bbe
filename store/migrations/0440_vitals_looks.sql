-- Who sent measurements before people were looked at one by one is looked at from now on: the bucket is kernel/ids.py
-- bucket_of, and its number spreads them over a day.
INSERT INTO due_queue (bucket, kind, ref, due_at)
SELECT b.bucket, 'vital-retention', b.patient_id::text, now() + b.bucket * interval '5 minutes'
FROM (SELECT patient_id, get_byte(sha256(uuid_send(patient_id)), 0) AS bucket FROM vital_head) AS b
ON CONFLICT (bucket, kind, ref) DO NOTHING;
