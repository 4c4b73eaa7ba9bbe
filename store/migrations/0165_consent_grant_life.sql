-- narrowed_at: when the person took parts out of an older version and this row came to be. What was agreed was
-- agreed at created_at, so narrowing lifts no hold and covers nobody else's rows (security.md S10, S12, S16).
ALTER TABLE consent_grant ADD COLUMN narrowed_at timestamptz;

-- Made again in the next statement with one word more.
-- squawk-ignore ban-drop-constraint
ALTER TABLE consent_grant DROP CONSTRAINT consent_grant_end_reason;

ALTER TABLE consent_grant ADD CONSTRAINT consent_grant_end_reason
CHECK (end_reason IN ('revoked', 'superseded', 'narrowed'));

-- The version that the practitioner's list shows. Null in rows made before it: the first.
ALTER TABLE practitioner_grant ADD COLUMN version int;
