-- Timers that tell guardians and the young person before birthdays that change who may act (family/hand_over.py), for
-- the links that are there already. Their first turn is spread over a day; it says nothing but what is due then.
INSERT INTO due_queue (bucket, kind, ref, due_at)
SELECT b.bucket, 'hand-over', b.patient_id::text, now() + b.bucket * interval '5 minutes'
FROM (
    SELECT u.patient_id, get_byte(sha256(uuid_send(u.patient_id)), 0) AS bucket
    FROM (
        SELECT g.patient_id FROM guardianship g WHERE g.ended_at IS NULL AND g.barred_at IS NULL
        UNION SELECT l.patient_id FROM birth_link l
    ) AS u
) AS b
ON CONFLICT (bucket, kind, ref) DO NOTHING;
