-- What `migrate --distribute` asks of Citus, on plain PostgreSQL: its catalogue, and the refusals of its
-- functions in its own words (scale.md, "What fails"). It spreads nothing; a real cluster is asked by the
-- tests marked `citus`.
CREATE TABLE pg_dist_local_group (groupid integer NOT NULL);
INSERT INTO pg_dist_local_group VALUES (0);
CREATE TABLE pg_dist_node (groupid integer, isactive boolean, shouldhaveshards boolean, noderole text);
INSERT INTO pg_dist_node VALUES (0, true, false, 'primary'), (1, true, true, 'primary');
CREATE TABLE pg_dist_partition (
    logicalrelid regclass PRIMARY KEY, partmethod "char", partkey text, colocationid integer, repmodel "char"
);
CREATE FUNCTION citus_version() RETURNS text LANGUAGE sql AS $$ SELECT 'Citus 13.2.0 on a stand-in' $$;
CREATE FUNCTION column_to_column_name(regclass, text) RETURNS text LANGUAGE sql AS $$ SELECT $2 $$;
CREATE FUNCTION truncate_local_data_after_distributing_table(regclass) RETURNS void LANGUAGE sql AS $$ $$;
CREATE FUNCTION stand_in_refuse_keys(t regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = t) THEN
        RAISE EXCEPTION 'table "%" is already distributed', t;
    END IF;
    IF EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND t IN (conrelid, confrelid)) THEN
        RAISE EXCEPTION 'cannot create foreign key constraint since foreign keys from reference tables and local tables to distributed tables are not supported';
    END IF;
END $$;
CREATE FUNCTION create_reference_table(t regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM stand_in_refuse_keys(t);
    INSERT INTO pg_dist_partition VALUES (t, 'n', NULL, 1, 't');
END $$;
CREATE FUNCTION create_distributed_table(
    t regclass, distribution_column text, colocate_with text, shard_count integer DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    beside integer;
BEGIN
    PERFORM stand_in_refuse_keys(t);
    IF EXISTS (
        SELECT FROM pg_index x WHERE x.indrelid = t AND (x.indisunique OR x.indisexclusion) AND NOT EXISTS (
            SELECT FROM pg_attribute a WHERE a.attrelid = t AND a.attname = distribution_column
                AND a.attnum = ANY (x.indkey::smallint[])
        )
    ) THEN
        RAISE EXCEPTION 'cannot create constraint on "%"', t;
    END IF;
    IF colocate_with = 'none' THEN
        SELECT coalesce(max(colocationid), 1) + 1 INTO beside FROM pg_dist_partition;
    ELSE
        SELECT colocationid INTO beside FROM pg_dist_partition
        WHERE logicalrelid = colocate_with::regclass AND partmethod = 'h';
        IF beside IS NULL THEN
            RAISE EXCEPTION 'relation % is not distributed', colocate_with;
        END IF;
    END IF;
    INSERT INTO pg_dist_partition VALUES (t, 'h', distribution_column, beside, 's');
END $$;
