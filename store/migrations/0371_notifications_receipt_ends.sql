-- Whether a receipt ends the SMS that waits: somebody looked, on a device that was trusted before the notice and that it is
-- not about (notifications/queries.py). What a phone reports by itself, or a thief's new one, ends nothing.
ALTER TABLE notification_receipt ADD COLUMN ends_sms boolean NOT NULL DEFAULT false;
