-- Forms of declarations (FHIR Questionnaire), version by version. facility_id NULL: for every facility. One account
-- proposes, another publishes and gives the version its number; the version before it ends in the same instant.
-- What was published is never changed: answers are read beside the questions that were asked.
-- table: declaration_form distribute: reference
CREATE TABLE declaration_form (
    form_id uuid NOT NULL,
    facility_id uuid,
    code text NOT NULL,
    version int,
    title text NOT NULL,
    body text NOT NULL,
    reason text NOT NULL,
    state text NOT NULL,
    proposed_by uuid NOT NULL,
    proposed_at timestamptz NOT NULL,
    published_by uuid,
    published_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT declaration_form_pkey PRIMARY KEY (form_id),
    CONSTRAINT declaration_form_state CHECK (state IN ('proposed', 'published', 'ended')),
    CONSTRAINT declaration_form_version CHECK ((version IS NULL) = (published_at IS NULL))
);

-- One that people fill in now, per facility (or everywhere) and code; and each number once.
CREATE UNIQUE INDEX declaration_form_live
ON declaration_form (coalesce(facility_id, '00000000-0000-0000-0000-000000000000'::uuid), code)
WHERE state = 'published';

CREATE UNIQUE INDEX declaration_form_number
ON declaration_form (coalesce(facility_id, '00000000-0000-0000-0000-000000000000'::uuid), code, version)
WHERE version IS NOT NULL;

-- What somebody declared for a visit. `answers` is a QuestionnaireResponse, sealed for `patient_id`. visit_id: a
-- check_in_id or the id of a booking. visit_on: the visit's day in Vietnam, which the time it is kept runs from: a
-- declaration for a booking of next month is still there on that day. declared_by: the person, or who acted in their
-- place; null once that one is erased.
-- table: declaration distribute: patient_id with citizen
CREATE TABLE declaration (
    patient_id uuid NOT NULL,
    declaration_id uuid NOT NULL,
    form_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    visit_kind text NOT NULL,
    visit_id uuid NOT NULL,
    visit_on date NOT NULL,
    declared_by uuid,
    answers bytea NOT NULL,
    declared_at timestamptz NOT NULL,
    CONSTRAINT declaration_pkey PRIMARY KEY (patient_id, declaration_id),
    CONSTRAINT declaration_once UNIQUE (patient_id, visit_id, form_id),
    CONSTRAINT declaration_visit_kind CHECK (visit_kind IN ('check-in', 'booking'))
);

-- An erasure finds by it in whose books somebody acted.
CREATE INDEX declaration_declared_by ON declaration (declared_by);

CREATE INDEX declaration_visit_on ON declaration (visit_on);

-- The facility's way to it. No answers, no name.
-- table: facility_declaration distribute: facility_id with citizen
CREATE TABLE facility_declaration (
    facility_id uuid NOT NULL,
    visit_id uuid NOT NULL,
    declaration_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    CONSTRAINT facility_declaration_pkey PRIMARY KEY (facility_id, visit_id, declaration_id)
);

-- An erasure finds a person's mirrors by it.
CREATE INDEX facility_declaration_of_person ON facility_declaration (patient_id);
