-- Each channel is drained by itself, so that one that hangs stops no other: what is due is looked for by channel.
-- Made before the first release: no table in use waits.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX delivery_due;

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX delivery_due ON delivery (bucket, channel, next_attempt_at) WHERE status IN ('pending', 'unknown');
