-- The shard column leads every index; the few acts that wait are found among these alone.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX registry_act_waiting;

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX registry_act_proposed ON registry_act (act_id, proposed_at) WHERE state = 'proposed';
