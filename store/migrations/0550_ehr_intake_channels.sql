-- By which way units came, and what became of health checks that go on to the ministry's axis. Only widened: what an
-- older program writes stays allowed.
-- squawk-ignore ban-drop-constraint
ALTER TABLE ehr_intake_count DROP CONSTRAINT ehr_intake_count_status_check;
ALTER TABLE ehr_intake_count ADD CONSTRAINT ehr_intake_count_status_check CHECK (status IN (
    'imported', 'quarantined', 'rejected', 'withheld', 'document', 'resolved', 'returned', 'review', 'released',
    'refused', 'expired', 'retracted', 'channel', 'axis-in-time', 'axis-late', 'axis-stopped', 'axis-kept-back'
)) NOT VALID;
ALTER TABLE ehr_intake_count VALIDATE CONSTRAINT ehr_intake_count_status_check;
