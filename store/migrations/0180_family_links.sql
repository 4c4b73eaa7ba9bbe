-- Guardians of children. A birth note's mother stands in birth_link; a row here beside it can bar or end that.
-- ticked: sensitive labels that a youth lets this guardian see.
-- table: guardianship distribute: patient_id with citizen
CREATE TABLE guardianship (
    patient_id uuid NOT NULL,
    guardian_id uuid NOT NULL,
    link_id uuid NOT NULL,
    proof text NOT NULL,
    facility_id uuid,
    since timestamptz NOT NULL,
    proven_at timestamptz,
    ended_at timestamptz,
    disputed_at timestamptz,
    disputed_by uuid,
    barred_at timestamptz,
    ticked int NOT NULL,
    CONSTRAINT guardianship_pkey PRIMARY KEY (patient_id, guardian_id),
    CONSTRAINT guardianship_proof CHECK (proof IN ('birth-note', 'facility-attested', 'court-document'))
);

-- table: guardianship_by_guardian distribute: patient_id with citizen
CREATE TABLE guardianship_by_guardian (
    patient_id uuid NOT NULL,
    dependent_id uuid NOT NULL,
    link_id uuid NOT NULL,
    since timestamptz NOT NULL,
    proven_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT guardianship_by_guardian_pkey PRIMARY KEY (patient_id, dependent_id)
);

-- Two accounts of one facility say who is whose guardian, or that a court barred somebody.
-- table: guardianship_proposal distribute: proposal_id
CREATE TABLE guardianship_proposal (
    proposal_id uuid NOT NULL,
    kind text NOT NULL,
    proof text NOT NULL,
    child_id uuid NOT NULL,
    guardian_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    proposed_by uuid NOT NULL,
    proposed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    confirmed_by uuid,
    CONSTRAINT guardianship_proposal_pkey PRIMARY KEY (proposal_id),
    CONSTRAINT guardianship_proposal_kind CHECK (kind IN ('link', 'bar', 'unbar'))
);

-- An adult whom the person lets act: one row a pair, and one at the other end.
-- table: proxy distribute: patient_id with citizen
CREATE TABLE proxy (
    patient_id uuid NOT NULL,
    proxy_id uuid NOT NULL,
    link_id uuid NOT NULL,
    scopes text[] NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    ended_at timestamptz,
    disputed_at timestamptz,
    disputed_by uuid,
    CONSTRAINT proxy_pkey PRIMARY KEY (patient_id, proxy_id)
);

-- table: proxy_by_proxy distribute: patient_id with citizen
CREATE TABLE proxy_by_proxy (
    patient_id uuid NOT NULL,
    dependent_id uuid NOT NULL,
    link_id uuid NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT proxy_by_proxy_pkey PRIMARY KEY (patient_id, dependent_id)
);

-- An invitation by SHA-256 of its code, used up by accepting it.
-- table: proxy_invitation distribute: code_hash
CREATE TABLE proxy_invitation (
    code_hash bytea NOT NULL,
    invitation_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    scopes text[] NOT NULL,
    until timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT proxy_invitation_pkey PRIMARY KEY (code_hash)
);
