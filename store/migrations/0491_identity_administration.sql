-- A facility's own people and machines, and what waits for a second person there.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX practitioner_role_by_facility ON practitioner_role (facility_id, practitioner_role_id);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX facility_client_by_facility ON facility_client (facility_id, client_id);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX register_change_waiting ON register_change (facility_id, change_id) WHERE confirmed_at IS NULL;
