-- An erasure asks by the owner's id alone and cannot tell PostgreSQL that it is never NULL.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX alert_owner;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX alert_owner ON alert (owner_id);
