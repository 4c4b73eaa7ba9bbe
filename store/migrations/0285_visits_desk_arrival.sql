-- That somebody came to a desk, by its id alone: no number and no person, the same for a number that nobody has
-- (security.md S19). A card is asked about with one of its day.
-- table: desk_arrival distribute: facility_id
CREATE TABLE desk_arrival (
    facility_id uuid NOT NULL,
    arrival_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT desk_arrival_pkey PRIMARY KEY (facility_id, arrival_id)
);
