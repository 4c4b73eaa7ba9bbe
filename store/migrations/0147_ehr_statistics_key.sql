-- The secret that names and rounds counted rows is a key of the key directory now (security.md S15): beside the rows, a
-- copy of the database named every counted person again. Nothing was published before a release; all of it is
-- counted anew under the key. The empty table stays without rights: nobody writes there again.
DELETE FROM statistic_secret;
DELETE FROM statistic_seen;
DELETE FROM statistic_person;
DELETE FROM statistic_case;
DELETE FROM statistic_cell;
DELETE FROM statistic_set;

-- By what the key is known again: a second rounding of the same cells would tell more than each (S30).
-- table: statistic_key distribute: reference
CREATE TABLE statistic_key (
    name text NOT NULL,
    fingerprint bytea NOT NULL,
    PRIMARY KEY (name)
);
