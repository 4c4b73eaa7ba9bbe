-- Whom a notice is about when that is not who gets it: whether the link between the two still stands is asked again
-- when the push leaves (notifications.md §5).
ALTER TABLE delivery ADD COLUMN dependent_id uuid;

-- Made before the first release: no table in use waits.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX delivery_of_dependent ON delivery (dependent_id) WHERE dependent_id IS NOT NULL;

-- Targets that no phone confirmed for long are removed by their age.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX push_target_updated ON push_target (updated_at);
