-- Certificates that an operator entered for a facility: what it sends is verified with them and with no other
-- key. required: what it sends without a signature is refused. A certificate that was ended counts no more.
-- table: facility_certificate distribute: reference
CREATE TABLE facility_certificate (
    certificate_id uuid PRIMARY KEY,
    facility_id uuid NOT NULL,
    sha256 bytea NOT NULL,
    der bytea NOT NULL,
    required boolean NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_until timestamptz NOT NULL,
    added_at timestamptz NOT NULL,
    ended_at timestamptz
);

CREATE INDEX facility_certificate_by_facility ON facility_certificate (facility_id);

-- The version of a document that was taken in last, by which credential and when: an import that is taken back
-- takes its version along, else one with a high number would keep every honest one out (security.md S3).
-- id_hash: of source and unit key, as in ehr_unit.
-- table: ehr_unit_version distribute: id_hash
CREATE TABLE ehr_unit_version (
    id_hash bytea NOT NULL,
    version int NOT NULL,
    credential text NOT NULL,
    taken_at timestamptz NOT NULL,
    PRIMARY KEY (id_hash)
);

-- What was found out about the signature of the file that a unit came in. file_sha256: of the whole file.
-- table: ehr_unit_signature distribute: id_hash
CREATE TABLE ehr_unit_signature (
    id_hash bytea NOT NULL,
    file_sha256 bytea NOT NULL,
    status text NOT NULL CHECK (status IN ('absent', 'present', 'unverified', 'valid')),
    reason text,
    certificate_sha256 bytea,
    checked_at timestamptz NOT NULL,
    PRIMARY KEY (id_hash)
);

-- The signature as it came. id_hash: SHA-256 of the whole file.
-- table: ehr_signature_block distribute: id_hash
CREATE TABLE ehr_signature_block (
    id_hash bytea NOT NULL,
    block bytea NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (id_hash)
);
