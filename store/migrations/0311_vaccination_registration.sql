-- A facility calls people to be vaccinated: for whom, with what, and until when people register.
-- Ages in full calendar months: from the day on which the first is reached, before the day of the second.
-- table: vaccination_campaign distribute: reference
CREATE TABLE vaccination_campaign (
    campaign_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    title text NOT NULL,
    place text NOT NULL,
    antigens text [] NOT NULL,
    vaccine text,
    sex text,
    age_from_months int,
    age_until_months int,
    interval_days int,
    screening text NOT NULL,
    screening_version int NOT NULL,
    opens_at timestamptz NOT NULL,
    closes_at timestamptz NOT NULL,
    state text NOT NULL,
    made_by uuid NOT NULL,
    made_at timestamptz NOT NULL,
    closed_by uuid,
    closed_at timestamptz,
    CONSTRAINT vaccination_campaign_pkey PRIMARY KEY (campaign_id),
    CONSTRAINT vaccination_campaign_state CHECK (state IN ('open', 'closed'))
);

CREATE INDEX vaccination_campaign_of_facility ON vaccination_campaign (facility_id, campaign_id);

-- One person's registration: the person's end of a booking (`slot_booking`), under the same id. `answers` is
-- sealed for `patient_id`. is_private: nobody who acts for the person sees it (security.md S23).
-- table: vaccination_registration distribute: patient_id with citizen
CREATE TABLE vaccination_registration (
    patient_id uuid NOT NULL,
    registration_id uuid NOT NULL,
    campaign_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    slot_id uuid NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    state text NOT NULL,
    registered_by uuid NOT NULL,
    is_private boolean NOT NULL,
    verdict text NOT NULL,
    answers bytea NOT NULL,
    made_at timestamptz NOT NULL,
    moved_at timestamptz NOT NULL,
    CONSTRAINT vaccination_registration_pkey PRIMARY KEY (patient_id, registration_id),
    CONSTRAINT vaccination_registration_state CHECK (state IN (
        'booked', 'waiting', 'attended', 'absent', 'cancelled', 'called-off', 'lapsed'
    ))
);

-- One that stands, per campaign and person.
CREATE UNIQUE INDEX vaccination_registration_live ON vaccination_registration (patient_id, campaign_id)
WHERE state IN ('booked', 'waiting', 'attended');
