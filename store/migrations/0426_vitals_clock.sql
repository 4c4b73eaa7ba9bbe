-- By how much the clock was behind that an item's time is of (milliseconds): what a phone's clock says later changes nothing
-- in how old that is. clock_behind_ms: the most that a source's clock ever was, so that whoever asks what was measured since
-- a time knows how far before it that may stand.
ALTER TABLE vital_sample ADD COLUMN clock_offset_ms int NOT NULL DEFAULT 0;
ALTER TABLE vital_series ADD COLUMN clock_offset_ms int NOT NULL DEFAULT 0;
ALTER TABLE vital_source ADD COLUMN clock_behind_ms int NOT NULL DEFAULT 0;
