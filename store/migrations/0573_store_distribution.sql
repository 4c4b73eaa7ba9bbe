-- Foreign keys that are taken off while the tables are spread over a cluster (store/distribute.py).
-- table: foreign_key_apart distribute: local
CREATE TABLE foreign_key_apart (
    on_table text NOT NULL,
    name text NOT NULL,
    definition text NOT NULL,
    PRIMARY KEY (on_table, name)
);
