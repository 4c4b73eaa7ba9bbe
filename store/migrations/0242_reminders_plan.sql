-- Plans of doses: one for each line of a prescription that was handed out, made of its dose text and the quantity. What
-- the medicine is stands in the record behind its filter; here are times and counts. `times` are wall times of `zone`.
-- `next_at`: the next time, NULL where none follows; the timer (due_queue, kind `reminder`) may be some seconds later.
-- table: reminder distribute: patient_id with citizen
CREATE TABLE reminder (
    patient_id uuid NOT NULL,
    reminder_id uuid NOT NULL,
    kind text NOT NULL,
    prescription_id uuid NOT NULL,
    line int NOT NULL,
    state text NOT NULL,
    asks text,
    own_times boolean NOT NULL,
    times time [] NOT NULL,
    interval_hours int,
    zone text NOT NULL,
    checks text [] NOT NULL,
    starts_on date NOT NULL,
    doses int,
    doses_due int NOT NULL,
    next_at timestamptz,
    last_at timestamptz,
    end_reason text,
    version int NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT reminder_pkey PRIMARY KEY (patient_id, reminder_id),
    CONSTRAINT reminder_kind CHECK (kind IN ('medication')),
    CONSTRAINT reminder_state CHECK (state IN ('active', 'asks', 'as-needed', 'paused', 'stopped', 'ended')),
    CONSTRAINT reminder_asks CHECK (asks IN ('times', 'end', 'pharmacist')),
    CONSTRAINT reminder_end_reason CHECK (end_reason IN ('used-up', 'replaced', 'withdrawn'))
);

CREATE INDEX reminder_prescription ON reminder (patient_id, prescription_id, line);

-- Each time that came, once: told, or why not.
-- table: reminder_occurrence distribute: patient_id with citizen
CREATE TABLE reminder_occurrence (
    patient_id uuid NOT NULL,
    reminder_id uuid NOT NULL,
    due_at timestamptz NOT NULL,
    outcome text NOT NULL,
    CONSTRAINT reminder_occurrence_pkey PRIMARY KEY (patient_id, reminder_id, due_at),
    CONSTRAINT reminder_occurrence_outcome CHECK (
        outcome IN ('told', 'late', 'paused', 'death-reported', 'not-seen')
    )
);
