-- SMS of a day, per number and per prefix of numbers (notifications.md §9: pumping). key: a keyed hash; bucket: its first byte.
-- table: sms_budget distribute: bucket
CREATE TABLE sms_budget (
    bucket int NOT NULL,
    key bytea NOT NULL,
    day date NOT NULL,
    used int NOT NULL,
    CONSTRAINT sms_budget_pkey PRIMARY KEY (bucket, key, day),
    CONSTRAINT sms_budget_bucket CHECK (bucket BETWEEN 0 AND 255),
    CONSTRAINT sms_budget_key CHECK (length(key) = 32)
);
