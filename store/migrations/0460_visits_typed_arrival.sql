-- A number that an account of a facility typed, alike for numbers that nobody has (security.md S7, S19). Seven days
-- later it is looked whether a visit followed: if so the row goes, else it is listed. number_sealed: the number,
-- and once it is listed its end alone. withdrawn_at: the desk took it back; it is judged all the same.
-- table: typed_arrival distribute: facility_id
CREATE TABLE typed_arrival (
    facility_id uuid NOT NULL,
    arrival_id uuid NOT NULL,
    recorded_by uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    number_sealed bytea NOT NULL,
    withdrawn_at timestamptz,
    unmet_at timestamptz,
    CONSTRAINT typed_arrival_pkey PRIMARY KEY (facility_id, arrival_id)
);

CREATE INDEX typed_arrival_listed ON typed_arrival (facility_id, unmet_at, arrival_id) WHERE unmet_at IS NOT NULL;

CREATE INDEX typed_arrival_unmet ON typed_arrival (unmet_at, arrival_id) WHERE unmet_at IS NOT NULL;

CREATE INDEX typed_arrival_age ON typed_arrival (recorded_at);
