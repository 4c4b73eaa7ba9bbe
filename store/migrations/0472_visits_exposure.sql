-- Who was at a facility in some hours, asked for by one of the health department and approved by another (security.md
-- S30). legal_basis: as it was given; it says what, never who. count: of visits, made of rounded hours, once. reached_*:
-- how far the making is. expires_at: from then on nobody reads it, and its entries go.
-- table: exposure_list distribute: reference
CREATE TABLE exposure_list (
    list_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    legal_basis text NOT NULL,
    state text NOT NULL,
    asked_by uuid NOT NULL,
    asked_at timestamptz NOT NULL,
    decided_by uuid,
    decided_at timestamptz,
    reached_at timestamptz NOT NULL,
    reached_id uuid NOT NULL,
    made_at timestamptz,
    count int,
    expires_at timestamptz,
    CONSTRAINT exposure_list_pkey PRIMARY KEY (list_id),
    CONSTRAINT exposure_list_state CHECK (state IN ('asked', 'approved', 'refused', 'made', 'ended')),
    CONSTRAINT exposure_list_hours CHECK (since < until AND until <= since + interval '72 hours'),
    CONSTRAINT exposure_list_two CHECK (decided_by <> asked_by)
);

CREATE INDEX exposure_list_of_facility ON exposure_list (facility_id, list_id);

-- One visit of a list. No name: it is opened when the list is read, and that stands in the person's log.
-- table: exposure_entry distribute: list_id
CREATE TABLE exposure_entry (
    list_id uuid NOT NULL,
    check_in_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    unit_id uuid,
    counter_id uuid,
    means text NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT exposure_entry_pkey PRIMARY KEY (list_id, check_in_id)
);

CREATE INDEX exposure_entry_in_turn ON exposure_entry (list_id, recorded_at, check_in_id);

-- An erasure finds a person's mirrors by it.
CREATE INDEX exposure_entry_of_person ON exposure_entry (patient_id);

-- How many visits a facility had in an hour, rounded: written once, by the first list that reaches it, so that no later
-- list and no later flag shows a difference.
-- table: exposure_hour distribute: facility_id
CREATE TABLE exposure_hour (
    facility_id uuid NOT NULL,
    hour timestamptz NOT NULL,
    count int NOT NULL,
    CONSTRAINT exposure_hour_pkey PRIMARY KEY (facility_id, hour)
);

CREATE INDEX exposure_hour_age ON exposure_hour (hour);

-- A list is made of it, page by page, once. Block ranges, so that no look-up of one person is tempted by it.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX check_in_of_facility ON check_in USING brin (facility_id, recorded_at);
