-- The shard column leads every index; what came back to a facility is looked for in each shard.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX quarantine_event_by_facility;

-- Made before the first release: no table in use waits for it.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX quarantine_event_returned ON quarantine_event (bucket, facility_id, event_id) WHERE act = 'returned';
