-- What did not arrive, by when: dead letters, and how many targets a wrong project refused of late.
-- Made before the first release: no table in use waits.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX delivery_died ON delivery (bucket, settled_at) WHERE status IN ('failed', 'dropped');
