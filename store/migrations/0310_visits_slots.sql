-- Places of a facility at a time: how many, and who has one or waits for one. What they are for (`group_id`)
-- belongs to whoever made them: a vaccination campaign.
-- table: slot distribute: facility_id with citizen
CREATE TABLE slot (
    facility_id uuid NOT NULL,
    slot_id uuid NOT NULL,
    group_id uuid NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    capacity int NOT NULL,
    state text NOT NULL,
    made_at timestamptz NOT NULL,
    CONSTRAINT slot_pkey PRIMARY KEY (facility_id, slot_id),
    CONSTRAINT slot_state CHECK (state IN ('open', 'closed')),
    CONSTRAINT slot_capacity CHECK (capacity > 0),
    CONSTRAINT slot_times CHECK (starts_at < ends_at)
);

CREATE INDEX slot_of_group ON slot (facility_id, group_id, starts_at, slot_id);
CREATE INDEX slot_of_day ON slot (facility_id, starts_at, slot_id);

-- The facility's end of a booking; the person's end belongs to whoever made the slots. `turn` counts up within
-- a slot: who waits moves up in that order. No counter of what is taken stands anywhere: it is counted under
-- the slot's lock.
-- table: slot_booking distribute: facility_id with citizen
CREATE TABLE slot_booking (
    facility_id uuid NOT NULL,
    booking_id uuid NOT NULL,
    slot_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    turn int NOT NULL,
    state text NOT NULL,
    made_at timestamptz NOT NULL,
    moved_at timestamptz NOT NULL,
    CONSTRAINT slot_booking_pkey PRIMARY KEY (facility_id, booking_id),
    CONSTRAINT slot_booking_turn UNIQUE (facility_id, slot_id, turn),
    CONSTRAINT slot_booking_state CHECK (state IN (
        'booked', 'waiting', 'attended', 'absent', 'cancelled', 'called-off', 'lapsed'
    ))
);

-- An erasure finds a person's bookings by it.
CREATE INDEX slot_booking_of_person ON slot_booking (patient_id);
