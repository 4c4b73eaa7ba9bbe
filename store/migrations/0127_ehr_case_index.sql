-- The shard column leads every index. The department's list walks the running cases of each shard, which are few.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX facility_case_overdue;

-- Made before the first release: no table in use waits for it.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX facility_case_running ON facility_case (facility_id, overdue_at, case_id) WHERE overdue_at IS NOT NULL;
