-- What the gateway reported of an SMS, some time after it took it: delivered to the phone, or given up.
ALTER TABLE delivery ADD COLUMN reported text CHECK (reported IN ('delivered', 'failed'));

ALTER TABLE delivery ADD COLUMN reported_at timestamptz;
