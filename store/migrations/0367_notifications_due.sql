-- due_at: when a delivery should leave (its reminder's time, the end of quiet hours); settled_at: when it ended. The
-- difference is how late it was.
ALTER TABLE delivery ADD COLUMN due_at timestamptz;

ALTER TABLE delivery ADD COLUMN settled_at timestamptz;
