-- When a person's day has its meals: wall times, which the parts of the day in a dose text mean. No row: the program's.
-- table: reminder_setting distribute: patient_id with citizen
CREATE TABLE reminder_setting (
    patient_id uuid NOT NULL,
    breakfast time NOT NULL,
    lunch time NOT NULL,
    afternoon time NOT NULL,
    dinner time NOT NULL,
    bedtime time NOT NULL,
    version int NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT reminder_setting_pkey PRIMARY KEY (patient_id),
    CONSTRAINT reminder_setting_order CHECK (
        breakfast < lunch AND lunch < afternoon AND afternoon < dinner AND dinner < bedtime
    )
);
