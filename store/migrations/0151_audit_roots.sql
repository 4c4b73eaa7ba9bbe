-- The log of changed heads (consent.md §10, security.md S25): an append-only Merkle tree per security epoch.

-- Whether this head is a leaf of the log. Only the first row after a root changes it, so every other append
-- leaves all indexed columns as they are and stays a heap-only update.
ALTER TABLE audit_head ADD COLUMN rooted boolean NOT NULL DEFAULT false;

-- Heads that wait for their leaf, and no others: a root costs what changed, however many people there are.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX audit_head_unrooted ON audit_head (patient_id) WHERE NOT rooted;

-- Where each head stands in the log. Asked for by its person alone, so it lies with the person.
-- table: audit_leaf distribute: patient_id with citizen
CREATE TABLE audit_leaf (
    patient_id uuid NOT NULL,
    epoch integer NOT NULL,
    seq bigint NOT NULL,
    leaf bigint NOT NULL,
    h bytea NOT NULL,
    CONSTRAINT audit_leaf_pkey PRIMARY KEY (patient_id, epoch, seq),
    CONSTRAINT audit_leaf_h CHECK (length(h) = 32)
);

-- Hashes of perfect subtrees of 256^level leaves, 256 to a tile, in the parts in which they were appended.
-- Of everybody together, and the largest table of the log, so it is spread: by the tile's number. A proof reads
-- about one tile a level, each by its whole key.
-- table: audit_tile distribute: bucket
CREATE TABLE audit_tile (
    bucket integer NOT NULL,
    epoch integer NOT NULL,
    level smallint NOT NULL,
    tile bigint NOT NULL,
    start smallint NOT NULL,
    hashes bytea NOT NULL,
    CONSTRAINT audit_tile_pkey PRIMARY KEY (bucket, epoch, level, tile, start),
    CONSTRAINT audit_tile_bucket CHECK (bucket BETWEEN 0 AND 255),
    CONSTRAINT audit_tile_start CHECK (start BETWEEN 0 AND 255),
    CONSTRAINT audit_tile_hashes CHECK (length(hashes) BETWEEN 32 AND 8192 AND length(hashes) % 32 = 0)
);

-- One row an epoch: whoever appends or signs holds it. Some hundred rows a day are made under it, so it stays
-- in one place, as the operators' chain does.
-- table: audit_tree distribute: local
CREATE TABLE audit_tree (
    epoch integer NOT NULL,
    log uuid NOT NULL,
    size bigint NOT NULL,
    CONSTRAINT audit_tree_pkey PRIMARY KEY (epoch)
);

-- text: what is signed, in JCS.
-- table: audit_root distribute: local
CREATE TABLE audit_root (
    number bigint NOT NULL,
    epoch integer NOT NULL,
    size bigint NOT NULL,
    text text NOT NULL,
    signature bytea NOT NULL,
    CONSTRAINT audit_root_pkey PRIMARY KEY (number),
    CONSTRAINT audit_root_text CHECK (length(text) <= 2000)
);
CREATE INDEX audit_root_by_epoch ON audit_root (epoch, number);

-- What a witness outside said of a root.
-- table: audit_cosignature distribute: local
CREATE TABLE audit_cosignature (
    number bigint NOT NULL,
    witness text NOT NULL,
    at text NOT NULL,
    signature bytea NOT NULL,
    CONSTRAINT audit_cosignature_pkey PRIMARY KEY (number, witness),
    CONSTRAINT audit_cosignature_witness CHECK (length(witness) <= 100),
    CONSTRAINT audit_cosignature_at CHECK (length(at) <= 40)
);
