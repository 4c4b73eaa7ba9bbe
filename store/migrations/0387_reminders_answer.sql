-- What the person said of a time: taken, skipped, or later (it rings again at `rings_at`). `at`: when, by the phone's
-- clock as far as it can be; an answer gives way to one that was given later, whichever arrives first.
-- table: reminder_answer distribute: patient_id with citizen
CREATE TABLE reminder_answer (
    patient_id uuid NOT NULL,
    reminder_id uuid NOT NULL,
    due_at timestamptz NOT NULL,
    act text NOT NULL,
    at timestamptz NOT NULL,
    rings_at timestamptz,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT reminder_answer_pkey PRIMARY KEY (patient_id, reminder_id, due_at),
    CONSTRAINT reminder_answer_act CHECK (act IN ('taken', 'skipped', 'later')),
    CONSTRAINT reminder_answer_later CHECK ((act = 'later') = (rings_at IS NOT NULL))
);

-- Answers are removed by their age.
CREATE INDEX reminder_answer_due ON reminder_answer (due_at);

-- Times that nobody answered are looked for by minute and bucket (kernel/ids.py: bucket_of); their age is its prefix.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX reminder_occurrence_due;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX reminder_occurrence_due ON reminder_occurrence (due_at, get_byte(sha256(uuid_send(patient_id)), 0));
