-- Statistics for a health department (security.md S30). What is published stands in statistic_cell and nowhere else:
-- one set of rounded cells a day. The rows it is counted from carry no patient_id, no number and no name.

-- What of a person was counted last: the record's number then, and in which bucket the counted rows stand.
-- table: statistic_seen distribute: patient_id with citizen
CREATE TABLE statistic_seen (
    patient_id uuid NOT NULL,
    bucket int NOT NULL,
    head_seq bigint NOT NULL,
    rules text NOT NULL,
    state text NOT NULL,
    counted_on date NOT NULL,
    bands text NOT NULL,
    PRIMARY KEY (patient_id)
);

-- `bucket` is of the commune, so that one bucket holds whole cells. `person` = HMAC of the person.
-- `bands`: how much of each profile is there.
-- table: statistic_person distribute: bucket
CREATE TABLE statistic_person (
    bucket int NOT NULL,
    person bytea NOT NULL,
    commune text NOT NULL,
    age_group text NOT NULL,
    bands text NOT NULL,
    PRIMARY KEY (bucket, person)
);

-- A disease (three characters of ICD-10) that a person was seen with in a week (its Monday).
-- table: statistic_case distribute: bucket
CREATE TABLE statistic_case (
    bucket int NOT NULL,
    person bytea NOT NULL,
    week date NOT NULL,
    icd text NOT NULL,
    commune text NOT NULL,
    PRIMARY KEY (bucket, person, week, icd)
);

-- By what the key is known again: a second rounding of the same cells would tell more than each (S30).
-- table: statistic_key distribute: reference
CREATE TABLE statistic_key (
    name text NOT NULL,
    fingerprint bytea NOT NULL,
    PRIMARY KEY (name)
);

-- One set of cells a day and how far it is; published_at: from then on it is read and never changes.
-- table: statistic_set distribute: reference
CREATE TABLE statistic_set (
    day date NOT NULL,
    step text NOT NULL CHECK (step IN ('people', 'buckets', 'senders', 'published')),
    last_person uuid NOT NULL,
    next_bucket int NOT NULL,
    published_at timestamptz,
    PRIMARY KEY (day)
);

-- Cells of a set, each rounded by itself; what rounds to zero has no row. Each view and each total is a sum of these.
-- table: statistic_cell distribute: reference
CREATE TABLE statistic_cell (
    day date NOT NULL,
    cube text NOT NULL CHECK (cube IN ('people', 'cases', 'senders')),
    d1 text NOT NULL,
    d2 text NOT NULL,
    d3 text NOT NULL,
    d4 text NOT NULL,
    count int NOT NULL CHECK (count > 0 AND count % 5 = 0),
    PRIMARY KEY (day, cube, d1, d2, d3, d4)
);
