-- What a person, or whoever acts for the person, wants to be reminded of: times and days stand in `reminder`, whose
-- source is `own:<id>`. `what`: the measurement; NULL for words alone. `text_sealed`: the words, under the person's key.
-- `is_private`: only in the own book.
-- table: reminder_own distribute: patient_id with citizen
CREATE TABLE reminder_own (
    patient_id uuid NOT NULL,
    reminder_id uuid NOT NULL,
    what text,
    text_sealed bytea,
    is_private boolean NOT NULL,
    made_by uuid NOT NULL,
    made_at timestamptz NOT NULL,
    CONSTRAINT reminder_own_pkey PRIMARY KEY (patient_id, reminder_id),
    CONSTRAINT reminder_own_says CHECK (what IS NOT NULL OR text_sealed IS NOT NULL)
);
