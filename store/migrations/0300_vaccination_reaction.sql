-- Reactions after a vaccination, as people report them. `content` is sealed for `patient_id`; `due_at` is set
-- where the report is severe: until then the facility is to have told the health department. `assessed`: how
-- severe the facility found it at the end.
-- table: vaccination_reaction distribute: patient_id with citizen
CREATE TABLE vaccination_reaction (
    patient_id uuid NOT NULL,
    reaction_id uuid NOT NULL,
    kind text NOT NULL,
    immunization_id text,
    facility_id uuid,
    reported_by uuid NOT NULL,
    severity text NOT NULL,
    state text NOT NULL,
    content bytea NOT NULL,
    reported_at timestamptz NOT NULL,
    due_at timestamptz,
    overdue_at timestamptz,
    acknowledged_at timestamptz,
    authority_told_at timestamptz,
    outcome text,
    assessed text,
    ended_at timestamptz,
    CONSTRAINT vaccination_reaction_pkey PRIMARY KEY (patient_id, reaction_id),
    CONSTRAINT vaccination_reaction_kind CHECK (kind IN ('full', 'quick')),
    CONSTRAINT vaccination_reaction_severity CHECK (severity IN ('mild', 'moderate', 'severe')),
    CONSTRAINT vaccination_reaction_state CHECK (state IN (
        'reported', 'acknowledged', 'closed', 'withdrawn'
    )),
    CONSTRAINT vaccination_reaction_outcome CHECK (outcome IN (
        'recovered', 'recovering', 'not-recovered', 'lasting-harm', 'died', 'unknown'
    )),
    CONSTRAINT vaccination_reaction_assessed CHECK (assessed IN ('mild', 'moderate', 'severe'))
);

-- What was added to a report, by whom and when. `body` is sealed.
-- table: vaccination_reaction_step distribute: patient_id with citizen
CREATE TABLE vaccination_reaction_step (
    patient_id uuid NOT NULL,
    reaction_id uuid NOT NULL,
    step_id uuid NOT NULL,
    kind text NOT NULL,
    actor_id uuid NOT NULL,
    body bytea NOT NULL,
    added_at timestamptz NOT NULL,
    CONSTRAINT vaccination_reaction_step_pkey PRIMARY KEY (patient_id, reaction_id, step_id),
    CONSTRAINT vaccination_reaction_step_kind CHECK (kind IN ('symptoms', 'follow-up'))
);

-- The same reports by the facility that gave the dose. No words, no name. `urgency`: 1 for a severe one.
-- table: facility_vaccination_reaction distribute: facility_id with citizen
CREATE TABLE facility_vaccination_reaction (
    facility_id uuid NOT NULL,
    reaction_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    severity text NOT NULL,
    urgency int NOT NULL,
    state text NOT NULL,
    reported_at timestamptz NOT NULL,
    due_at timestamptz,
    overdue_at timestamptz,
    authority_told_at timestamptz,
    CONSTRAINT facility_vaccination_reaction_pkey PRIMARY KEY (facility_id, reaction_id)
);

CREATE INDEX facility_vaccination_reaction_listed ON facility_vaccination_reaction (
    facility_id, urgency DESC, reaction_id DESC
);

-- What facilities are late with, for the health department.
CREATE INDEX facility_vaccination_reaction_late ON facility_vaccination_reaction (
    facility_id, overdue_at, reaction_id
) WHERE overdue_at IS NOT NULL;

-- An erasure finds a person's mirrors by it.
CREATE INDEX facility_vaccination_reaction_of_person ON facility_vaccination_reaction (patient_id);
