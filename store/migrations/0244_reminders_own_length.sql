-- How much of the line was handed out when the person said how long to take it; NULL: the text says how long.
ALTER TABLE reminder ADD COLUMN own_length_of numeric(12, 3);
-- Times that passed are removed by their age.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX reminder_occurrence_due ON reminder_occurrence (due_at);
