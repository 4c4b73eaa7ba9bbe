-- Dear work that an actor has one of at a time, over all processes (security.md S33): while lease_until has not come
-- the holder of `token` works. Freed at its end; a holder that was killed is over when the lease runs out.
-- table: work_lease distribute: actor_id with citizen
CREATE TABLE work_lease (
    actor_id uuid NOT NULL,
    kind text NOT NULL,
    token uuid NOT NULL,
    lease_until timestamptz NOT NULL,
    CONSTRAINT work_lease_pkey PRIMARY KEY (actor_id, kind)
);
