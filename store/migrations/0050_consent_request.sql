-- A practitioner's request to see a record. No foreign key to citizen: an unknown subject has a
-- pseudo patient_id, so that unknown and known look alike (security.md S19).
-- `delivery` withheld: nothing reaches the person, and nothing can be granted; cold: the facility is new
-- to the person, so nothing reaches the app, and only an SMS after a check-in at the desk can grant (S6, S7).
-- table: access_request distribute: patient_id with citizen
CREATE TABLE access_request (
    patient_id uuid NOT NULL,
    request_id uuid NOT NULL,
    practitioner_id uuid NOT NULL,
    practitioner_role_id uuid NOT NULL,
    practitioner_name text NOT NULL,
    licence text NOT NULL,
    role text NOT NULL,
    facility_id uuid NOT NULL,
    facility_name text NOT NULL,
    purpose text NOT NULL,
    types text[] NOT NULL,
    since date,
    until date,
    duration_seconds int NOT NULL,
    presence boolean NOT NULL,
    delivery text NOT NULL,
    status text NOT NULL,
    attempts int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    decided_at timestamptz,
    grant_id uuid,
    code_hash bytea,
    code_sealed bytea,
    code_expires_at timestamptz,
    code_sent_at timestamptz,
    code_sends int NOT NULL DEFAULT 0,
    CONSTRAINT access_request_pkey PRIMARY KEY (patient_id, request_id),
    CONSTRAINT access_request_delivery CHECK (delivery IN ('ring', 'silent', 'cold', 'withheld')),
    CONSTRAINT access_request_status CHECK (status IN ('requested', 'granted', 'refused', 'reported')),
    CONSTRAINT access_request_attempts CHECK (attempts BETWEEN 0 AND 5),
    CONSTRAINT access_request_code_sends CHECK (code_sends BETWEEN 0 AND 3)
);

CREATE INDEX access_request_recent ON access_request (patient_id, created_at);

-- The asking side's own row. It knows waiting, granted and ended, and nothing of a refusal.
-- table: practitioner_request distribute: actor_id with citizen
CREATE TABLE practitioner_request (
    actor_id uuid NOT NULL,
    request_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    subject_hash bytea NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    grant_id uuid,
    CONSTRAINT practitioner_request_pkey PRIMARY KEY (actor_id, request_id)
);

CREATE INDEX practitioner_request_recent ON practitioner_request (actor_id, created_at);

-- Consecutive wrong codes of one person over all doctors; also the lock that makes the issue of
-- grants and the counts of one person serial.
-- table: consent_guard distribute: patient_id with citizen
CREATE TABLE consent_guard (
    patient_id uuid NOT NULL,
    wrong_codes int NOT NULL,
    CONSTRAINT consent_guard_pkey PRIMARY KEY (patient_id),
    CONSTRAINT consent_guard_wrong_codes CHECK (wrong_codes >= 0)
);

-- What a practitioner or a facility has used up on one day.
-- table: request_quota distribute: actor_id with citizen
CREATE TABLE request_quota (
    actor_id uuid NOT NULL,
    kind text NOT NULL,
    day date NOT NULL,
    used int NOT NULL,
    CONSTRAINT request_quota_pkey PRIMARY KEY (actor_id, kind, day),
    CONSTRAINT request_quota_kind CHECK (kind IN ('request', 'sms'))
);
