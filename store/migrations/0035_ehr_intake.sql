-- What the intake remembers besides the record itself.

-- Which person a unit (an episode, a document) of a source was written to: a resend goes to the same one,
-- also when the person has no number. id_hash = SHA-256 of source and unit key.
-- table: ehr_unit distribute: id_hash
CREATE TABLE ehr_unit (
    id_hash bytea NOT NULL,
    patient_id uuid NOT NULL,
    imported_at timestamptz NOT NULL,
    PRIMARY KEY (id_hash)
);

-- Units whose person is not certain, and items the gate wants a person to look at: sealed, after the gate.
-- A resend of the unit replaces its rows. `bucket` is the first byte of id_hash.
-- table: ehr_quarantine distribute: bucket
CREATE TABLE ehr_quarantine (
    bucket int NOT NULL,
    quarantine_id uuid NOT NULL,
    id_hash bytea NOT NULL,
    facility_id uuid,
    credential text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('unit', 'review')),
    reason text NOT NULL,
    received_at timestamptz NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (bucket, quarantine_id)
);

CREATE INDEX ehr_quarantine_by_unit ON ehr_quarantine (bucket, id_hash);

-- How much the gate stopped, by day, without any content and without any person.
-- table: ehr_gate_count distribute: bucket
CREATE TABLE ehr_gate_count (
    bucket int NOT NULL,
    day date NOT NULL,
    rules text NOT NULL,
    withheld bigint NOT NULL,
    PRIMARY KEY (bucket, day, rules)
);

-- What a facility system sent and got an answer for. `units` holds codes and places, never a value.
-- table: ehr_receipt distribute: actor_id with citizen
CREATE TABLE ehr_receipt (
    actor_id uuid NOT NULL,
    receipt_id uuid NOT NULL,
    received_at timestamptz NOT NULL,
    body_sha256 bytea NOT NULL,
    units text NOT NULL,
    PRIMARY KEY (actor_id, receipt_id)
);
