-- One person's consent to one practitioner at one facility. A row's scope never changes: a new
-- request makes a new row that supersedes. In force: ended_at IS NULL and starts_at <= now < ends_at.
-- table: consent_grant distribute: patient_id with citizen
CREATE TABLE consent_grant (
    patient_id uuid NOT NULL,
    grant_id uuid NOT NULL,
    version int NOT NULL,
    supersedes uuid,
    request_id uuid NOT NULL,
    practitioner_id uuid NOT NULL,
    practitioner_role_id uuid NOT NULL,
    practitioner_name text NOT NULL,
    licence text NOT NULL,
    facility_id uuid NOT NULL,
    facility_name text NOT NULL,
    purpose text NOT NULL,
    tier text NOT NULL,
    presence boolean NOT NULL,
    types text[] NOT NULL,
    since date,
    until date,
    labels int NOT NULL,
    created_at timestamptz NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    ended_at timestamptz,
    end_reason text,
    artefact text NOT NULL,
    fhir_consent text NOT NULL,
    CONSTRAINT consent_grant_pkey PRIMARY KEY (patient_id, grant_id),
    CONSTRAINT consent_grant_tier CHECK (tier IN ('A', 'B', 'C', 'D')),
    CONSTRAINT consent_grant_labels CHECK (labels BETWEEN 0 AND 255),
    CONSTRAINT consent_grant_period CHECK (starts_at < ends_at),
    CONSTRAINT consent_grant_end CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    CONSTRAINT consent_grant_end_reason CHECK (end_reason IN ('revoked', 'superseded'))
);

CREATE UNIQUE INDEX consent_grant_live ON consent_grant (patient_id, practitioner_id, facility_id)
WHERE ended_at IS NULL;

-- The practitioner's list of the same grants.
-- table: practitioner_grant distribute: actor_id with citizen
CREATE TABLE practitioner_grant (
    actor_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    grant_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    purpose text NOT NULL,
    types text[] NOT NULL,
    since date,
    until date,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT practitioner_grant_pkey PRIMARY KEY (actor_id, patient_id, grant_id)
);

CREATE INDEX practitioner_grant_live ON practitioner_grant (actor_id, ends_at)
WHERE ended_at IS NULL;
