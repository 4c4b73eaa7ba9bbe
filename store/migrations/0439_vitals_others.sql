-- Who acted in another person's book and is erased leaves no id there: the row stays, and its column is empty then.
-- squawk-ignore ban-drop-not-null
ALTER TABLE vital_device ALTER COLUMN added_by DROP NOT NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX alert_acked_by ON alert (acked_by);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX vital_device_added_by ON vital_device (added_by);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX vital_import_added_by ON vital_import (added_by);
