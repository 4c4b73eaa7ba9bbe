-- Who stays in which room of a facility from when until when: a line of what the facility tells the residence register
-- itself. who_sealed: name, birth date, sex and number as the desk typed them, under the stay's id. patient_id: whose
-- number it is, or of nobody, so that a number that nobody has lies alike (security.md S19).
-- table: stay distribute: facility_id
CREATE TABLE stay (
    facility_id uuid NOT NULL,
    stay_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    who_sealed bytea NOT NULL,
    room text NOT NULL,
    from_at timestamptz NOT NULL,
    until_at timestamptz,
    recorded_by uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT stay_pkey PRIMARY KEY (facility_id, stay_id),
    CONSTRAINT stay_times CHECK (until_at IS NULL OR until_at >= from_at)
);

-- The lines of a day.
CREATE INDEX stay_of_day ON stay (facility_id, from_at, stay_id);

-- An erasure finds by it where a person stayed.
CREATE INDEX stay_of_person ON stay (patient_id);

CREATE INDEX stay_age ON stay (from_at);
