-- How far the row `recovered` went into the logs: every log gets it before anything else is written there.
ALTER TABLE recovery ADD COLUMN last_person uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
