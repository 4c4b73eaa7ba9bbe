-- `gone_seq`: the number at which the row last left the sight of those who had seen it (deleted, disputed, hidden,
-- held back): the change feed tells that once, and nothing of what happens to the row behind it.
ALTER TABLE ehr_resource ADD COLUMN gone_seq bigint;

-- What a person hides: one visit, result or document, from everybody (reader NULL) or from one practitioner.
-- What else goes with it is worked out from the record (ehr/visibility/closure.py), not kept here.
-- table: ehr_hiding distribute: patient_id with citizen
CREATE TABLE ehr_hiding (
    patient_id uuid NOT NULL,
    hiding_id uuid NOT NULL,
    rtype text NOT NULL,
    id text NOT NULL,
    reader uuid,
    reader_name text,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (patient_id, hiding_id)
);

-- When a category of results may be seen by the person: per facility, the nil uuid = everywhere else.
-- table: ehr_release_policy distribute: reference
CREATE TABLE ehr_release_policy (
    facility_id uuid NOT NULL,
    category text NOT NULL CHECK (category IN ('laboratory', 'other-results', 'imaging', 'documents')),
    rule text NOT NULL CHECK (rule IN ('at-once', 'after-review', 'after-hours')),
    hours int NOT NULL CHECK (hours BETWEEN 0 AND 720),
    changed_at timestamptz NOT NULL,
    changed_by uuid,
    PRIMARY KEY (facility_id, category)
);

-- Where a facility's picture viewer is: an https address with {study_uid} in it, set by an operator.
-- table: ehr_viewer distribute: reference
CREATE TABLE ehr_viewer (
    facility_id uuid NOT NULL,
    template text NOT NULL CHECK (template LIKE 'https://%'),
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (facility_id)
);

-- A way to the viewer that works once, for a minute, for who asked. `ticket_hash` = SHA-256 of the secret.
-- table: ehr_viewer_ticket distribute: actor_id with citizen
CREATE TABLE ehr_viewer_ticket (
    actor_id uuid NOT NULL,
    ticket_hash bytea NOT NULL,
    session_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    study_id text NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (actor_id, ticket_hash)
);
