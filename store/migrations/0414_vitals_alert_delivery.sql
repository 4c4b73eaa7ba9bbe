-- Who was told of an alert, step by step: a repeat of a step finds its row and says nothing. step: hundreds are the
-- severity (1 a warning, 2 critical), the rest the place in the order. notification_id: NULL where nothing was said
-- (`capped`: the day had its warnings; `ended`: who was to hear may not any more).
-- table: alert_delivery distribute: patient_id with citizen
CREATE TABLE alert_delivery (
    patient_id uuid NOT NULL,
    alert_id uuid NOT NULL,
    recipient_id uuid NOT NULL,
    step smallint NOT NULL,
    notification_id uuid,
    status text NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT alert_delivery_pkey PRIMARY KEY (patient_id, alert_id, recipient_id, step),
    CONSTRAINT alert_delivery_status CHECK (status IN ('told', 'silent', 'capped', 'ended'))
);
-- How many warnings a day had.
CREATE INDEX alert_delivery_day ON alert_delivery (patient_id, recipient_id, at);
-- Whose notices they are, when that person leaves.
CREATE INDEX alert_delivery_recipient ON alert_delivery (recipient_id);
