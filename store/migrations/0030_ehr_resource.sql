-- The record: raw FHIR text with the index columns beside it in one row, so that a search can never
-- return old values (ehr-core.md §1.1). `seq` comes from the head row under its lock. `sort_at` is `eff`,
-- or the year 1000 for an undated event, so that keyset paging needs no NULL rules. `eff_until` is the last
-- instant of a partial date or period. `active_until` is set while an allergy, a problem or a medicine is
-- active. `item` is the reading view made from `doc`
-- (`body` its long text, shown only where documents are read); `item_version` says with which display table.
-- Texts are compressed with the server's default_toast_compression: lz4 where it is built in (the embedded
-- build has pglz only, so the column cannot demand it).
-- `release_at` and `origin_patient_id` wait for the release policy and for merges of persons.
-- table: ehr_resource distribute: patient_id with citizen
CREATE TABLE ehr_resource (
    patient_id uuid NOT NULL,
    seq bigint NOT NULL,
    updated timestamptz NOT NULL,
    eff timestamptz,
    eff_until timestamptz,
    sort_at timestamptz NOT NULL,
    active_until timestamptz,
    release_at timestamptz,
    facility_id uuid,
    batch uuid,
    origin_patient_id uuid,
    version int NOT NULL,
    labels int NOT NULL,
    flag int NOT NULL,
    item_version int NOT NULL,
    deleted boolean NOT NULL,
    negative boolean NOT NULL,
    rtype text NOT NULL,
    id text NOT NULL,
    record_type text NOT NULL,
    section text,
    eff_precision text,
    code_system text,
    code text,
    category text,
    status text NOT NULL,
    state text NOT NULL CHECK (state IN ('verified', 'self-declared', 'disputed')),
    encounter_id text,
    main_id text,
    source_id text NOT NULL,
    unit text,
    credential text NOT NULL,
    method text NOT NULL,
    title text NOT NULL,
    title_folded text NOT NULL,
    content_sha256 bytea NOT NULL,
    item text NOT NULL,
    body text,
    doc text NOT NULL,
    PRIMARY KEY (patient_id, rtype, id)
);

CREATE INDEX ehr_resource_by_section ON ehr_resource (patient_id, section, sort_at DESC, id DESC);

CREATE INDEX ehr_resource_by_time ON ehr_resource (patient_id, sort_at DESC, id DESC);

CREATE INDEX ehr_resource_by_code ON ehr_resource (patient_id, code, sort_at DESC) WHERE rtype = 'Observation';

CREATE INDEX ehr_resource_by_encounter ON ehr_resource (patient_id, encounter_id) WHERE encounter_id IS NOT NULL;

CREATE INDEX ehr_resource_by_unit ON ehr_resource (patient_id, unit) WHERE unit IS NOT NULL;

CREATE INDEX ehr_resource_by_seq ON ehr_resource (patient_id, seq);

-- What a resource said before its present version; the present one stands in ehr_resource alone.
-- table: ehr_history distribute: patient_id with citizen
CREATE TABLE ehr_history (
    patient_id uuid NOT NULL,
    rtype text NOT NULL,
    id text NOT NULL,
    version int NOT NULL,
    seq bigint NOT NULL,
    updated timestamptz NOT NULL,
    method text NOT NULL,
    credential text NOT NULL,
    batch uuid,
    deleted boolean NOT NULL,
    doc text NOT NULL,
    PRIMARY KEY (patient_id, rtype, id, version)
);

-- table: ehr_head distribute: patient_id with citizen
CREATE TABLE ehr_head (
    patient_id uuid NOT NULL,
    head_seq bigint NOT NULL,
    refreshed_at timestamptz NOT NULL,
    refresh_lease_until timestamptz,
    PRIMARY KEY (patient_id)
) WITH (fillfactor = 70);
