-- What a facility takes appointments for over some weeks: a department, a practitioner, or both (FHIR Schedule). Its slots
-- carry its id as their group. is_sensitive: nobody who acts for another sees it (security.md S23), by its own name or
-- by the department's when it was made.
-- table: appointment_schedule distribute: facility_id with citizen
CREATE TABLE appointment_schedule (
    facility_id uuid NOT NULL,
    schedule_id uuid NOT NULL,
    name text NOT NULL,
    unit_id uuid,
    practitioner_id uuid,
    is_sensitive boolean NOT NULL,
    opens_at timestamptz NOT NULL,
    state text NOT NULL,
    made_by uuid NOT NULL,
    made_at timestamptz NOT NULL,
    closed_by uuid,
    closed_at timestamptz,
    CONSTRAINT appointment_schedule_pkey PRIMARY KEY (facility_id, schedule_id),
    CONSTRAINT appointment_schedule_state CHECK (state IN ('open', 'closed'))
);

-- The person's end of an appointment: the facility's is a `slot_booking` under the same id. booked_by: the person, or who
-- acted in their place; null once that one is erased. referral_id: the letter that it was booked by, which books once.
-- missed_at: found at the end of its day that nobody had come. What is kept from the family stands in `visit_safety`.
-- table: appointment distribute: patient_id with citizen
CREATE TABLE appointment (
    patient_id uuid NOT NULL,
    appointment_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    schedule_id uuid NOT NULL,
    slot_id uuid NOT NULL,
    unit_id uuid,
    practitioner_id uuid,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    state text NOT NULL,
    held_until timestamptz,
    sequence int NOT NULL,
    booked_by uuid,
    referral_id uuid,
    missed_at timestamptz,
    made_at timestamptz NOT NULL,
    moved_at timestamptz NOT NULL,
    CONSTRAINT appointment_pkey PRIMARY KEY (patient_id, appointment_id),
    CONSTRAINT appointment_state CHECK (state IN (
        'held', 'booked', 'waiting', 'attended', 'absent', 'cancelled', 'called-off', 'lapsed'
    ))
);

-- Once for each who books: whoever may not learn of an appointment is not stopped by it either (security.md S23).
CREATE UNIQUE INDEX appointment_of_referral ON appointment (patient_id, referral_id, booked_by)
WHERE referral_id IS NOT null AND state IN ('held', 'booked', 'waiting', 'attended');

-- An erasure finds by it in whose books somebody acted.
CREATE INDEX appointment_booked_by ON appointment (booked_by);

CREATE INDEX appointment_age ON appointment (ends_at);

CREATE INDEX appointment_schedule_age ON appointment_schedule (closed_at) WHERE closed_at IS NOT NULL;
