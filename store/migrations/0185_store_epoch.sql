-- Security epochs (security.md S12): each restore of a backup starts one. What was made before the newest start
-- is dead or held until somebody proves it again (store/epoch.py). No row: never restored.
-- table: security_epoch distribute: reference
CREATE TABLE security_epoch (
    number int NOT NULL,
    started_at timestamptz NOT NULL,
    CONSTRAINT security_epoch_pkey PRIMARY KEY (number),
    CONSTRAINT security_epoch_number CHECK (number > 0)
);
