-- table: citizen distribute: patient_id with citizen
CREATE TABLE citizen (
    patient_id uuid PRIMARY KEY,
    level smallint NOT NULL CHECK (level BETWEEN 0 AND 2),
    state text NOT NULL CHECK (state IN ('active', 'death-reported', 'frozen', 'merged')),
    demographics bytea NOT NULL,
    created_at timestamptz NOT NULL
);

-- table: person_report distribute: patient_id with citizen
CREATE TABLE person_report (
    patient_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    demographics bytea NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (patient_id, facility_id)
);

-- table: patient_identifier distribute: id_hash
CREATE TABLE patient_identifier (
    id_hash bytea NOT NULL,
    kind text NOT NULL,
    key_version text NOT NULL,
    patient_id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('facility-reported', 'verified')),
    valid_from date,
    valid_until date,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (id_hash, kind)
);

-- table: patient_identifier_rev distribute: patient_id with citizen
CREATE TABLE patient_identifier_rev (
    patient_id uuid NOT NULL,
    kind text NOT NULL,
    id_hash bytea NOT NULL,
    key_version text NOT NULL,
    value bytea NOT NULL,
    state text NOT NULL CHECK (state IN ('self-declared', 'facility-reported', 'verified')),
    facility_id uuid,
    valid_from date,
    valid_until date,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (patient_id, kind, id_hash)
);

-- table: phone distribute: patient_id with citizen
CREATE TABLE phone (
    patient_id uuid NOT NULL,
    phone_hash bytea NOT NULL,
    role text NOT NULL CHECK (role IN ('contact', 'login')),
    value bytea NOT NULL,
    changed_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    PRIMARY KEY (patient_id, phone_hash)
);

-- table: phone_lookup distribute: phone_hash
CREATE TABLE phone_lookup (
    phone_hash bytea NOT NULL,
    patient_id uuid NOT NULL,
    key_version text NOT NULL,
    PRIMARY KEY (phone_hash, patient_id)
);

-- table: phone_code_lock distribute: phone_hash
CREATE TABLE phone_code_lock (
    phone_hash bytea PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('sign-in', 'consent')),
    until timestamptz NOT NULL
);
