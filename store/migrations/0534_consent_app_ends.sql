-- When the person last ended all apps and partners: what waits on a page since before then gives no consent.
ALTER TABLE consent_guard ADD COLUMN apps_ended_at timestamptz;
