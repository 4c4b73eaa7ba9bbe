-- What a person chose of exams that are due: a rule switched on or off (NULL: as the rule says), and the day of an exam
-- that is not in the book. `rule`: its code in the program's data.
-- table: screening_choice distribute: patient_id with citizen
CREATE TABLE screening_choice (
    patient_id uuid NOT NULL,
    rule text NOT NULL,
    is_on boolean,
    done_on date,
    changed_at timestamptz NOT NULL,
    CONSTRAINT screening_choice_pkey PRIMARY KEY (patient_id, rule),
    CONSTRAINT screening_choice_rule CHECK (length(rule) <= 40)
);

-- Whether and when a person wants the week's word about food: weekday 1 is Monday, `at` a wall time.
-- table: nutrition_choice distribute: patient_id with citizen
CREATE TABLE nutrition_choice (
    patient_id uuid NOT NULL,
    is_on boolean NOT NULL,
    weekday int NOT NULL,
    at time NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT nutrition_choice_pkey PRIMARY KEY (patient_id),
    CONSTRAINT nutrition_choice_weekday CHECK (weekday BETWEEN 1 AND 7)
);

-- A kind of reminder that a person switched off: its times go by untold. No row: it is on.
-- table: reminder_kind_off distribute: patient_id with citizen
CREATE TABLE reminder_kind_off (
    patient_id uuid NOT NULL,
    kind text NOT NULL,
    off_at timestamptz NOT NULL,
    CONSTRAINT reminder_kind_off_pkey PRIMARY KEY (patient_id, kind),
    CONSTRAINT reminder_kind_off_kind CHECK (
        kind IN ('medication', 'revisit', 'exam', 'vaccination', 'measurement', 'nutrition', 'card', 'custom')
    )
);
