-- Which plan of a person's reminders a phone should have, and which it says it has: a phone that has the present one
-- rings by itself until `covers_until`, so that nothing is pushed to it (notifications.md §8).
-- `version` counts every change that a phone must know; a time that passes is none.
-- table: reminder_plan distribute: patient_id with citizen
CREATE TABLE reminder_plan (
    patient_id uuid NOT NULL,
    version bigint NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT reminder_plan_pkey PRIMARY KEY (patient_id)
);

-- device_id: the person's own phone, or a guardian's.
-- table: reminder_plan_ack distribute: patient_id with citizen
CREATE TABLE reminder_plan_ack (
    patient_id uuid NOT NULL,
    device_id uuid NOT NULL,
    version bigint NOT NULL,
    covers_until timestamptz NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT reminder_plan_ack_pkey PRIMARY KEY (patient_id, device_id)
);
