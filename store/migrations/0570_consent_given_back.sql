-- A practitioner may end the own access: a way of ending that is nobody's revocation.
-- A check cannot be widened in place.
-- squawk-ignore ban-drop-constraint
ALTER TABLE consent_grant DROP CONSTRAINT consent_grant_end_reason;

ALTER TABLE consent_grant ADD CONSTRAINT consent_grant_end_reason
CHECK (end_reason IN ('revoked', 'superseded', 'narrowed', 'given-back')) NOT VALID;

ALTER TABLE consent_grant VALIDATE CONSTRAINT consent_grant_end_reason;
