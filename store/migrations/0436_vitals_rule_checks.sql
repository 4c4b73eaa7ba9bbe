-- What an alert can be about, and quiet hours that begin and end.
ALTER TABLE alert ADD CONSTRAINT alert_measure
    CHECK (measure IN ('reading', 'week-average', 'rate', 'lasting', 'no-data')) NOT VALID;
ALTER TABLE alert VALIDATE CONSTRAINT alert_measure;
ALTER TABLE alert_rule ADD CONSTRAINT alert_rule_quiet CHECK ((quiet_from IS NULL) = (quiet_until IS NULL)) NOT VALID;
ALTER TABLE alert_rule VALIDATE CONSTRAINT alert_rule_quiet;
