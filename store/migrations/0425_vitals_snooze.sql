-- Each severity has its own silence: a second one never shortens the first. Warnings are silent until snooze_until; what is
-- critical until snooze_critical_until, never longer.
ALTER TABLE alert_state ADD COLUMN snooze_critical_until timestamptz;
UPDATE alert_state SET snooze_critical_until = snooze_until WHERE snooze_severity = 2;
-- Made again in the last statement.
-- squawk-ignore ban-drop-constraint
ALTER TABLE alert_state DROP CONSTRAINT alert_state_snooze;
-- squawk-ignore ban-drop-column
ALTER TABLE alert_state DROP COLUMN snooze_severity;
ALTER TABLE alert_state ADD CONSTRAINT alert_state_snooze CHECK (snooze_critical_until <= snooze_until);
