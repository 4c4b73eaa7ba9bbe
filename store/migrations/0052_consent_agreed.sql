-- confirmed_at: when the person last said again that the grant stands (security.md S16).
-- told_on: the day, in Việt Nam, on which the person was last told of its first use (consent.md §10).
ALTER TABLE consent_grant ADD COLUMN confirmed_at timestamptz;

ALTER TABLE consent_grant ADD COLUMN told_on date;

-- When the person agreed, first or last; the practitioner's list shows by it what is held.
ALTER TABLE practitioner_grant ADD COLUMN agreed_at timestamptz;
