-- closed: the person ended the account; an activation in presence opens it again. erasing: rows are going, nobody
-- gets in. Only widened: what an older program writes stays allowed.
-- squawk-ignore ban-drop-constraint
ALTER TABLE citizen DROP CONSTRAINT citizen_state_check;

ALTER TABLE citizen ADD CONSTRAINT citizen_state CHECK (state IN ('active', 'death-reported', 'frozen', 'merged',
    'closed', 'erasing')) NOT VALID;

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX patient_identifier_by_patient ON patient_identifier (patient_id);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX phone_lookup_by_patient ON phone_lookup (patient_id);
