-- A guardian whom an identity provider named, by a result of level 2 that served this once.
-- A check cannot be widened in place.
-- squawk-ignore ban-drop-constraint
ALTER TABLE guardianship DROP CONSTRAINT guardianship_proof;

ALTER TABLE guardianship ADD CONSTRAINT guardianship_proof
    CHECK (proof IN ('birth-note', 'facility-attested', 'court-document', 'identity-provider')) NOT VALID;

ALTER TABLE guardianship VALIDATE CONSTRAINT guardianship_proof;
