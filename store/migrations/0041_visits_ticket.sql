-- A number that the desk typed today, under a keyed hash of facility, day and number. Nobody needs to have the
-- number: a person is made when an activation is proposed, and the ticket becomes that person's check_in.
-- table: arrival_ticket distribute: id_hash
CREATE TABLE arrival_ticket (
    id_hash bytea NOT NULL,
    arrival_id uuid NOT NULL,
    recorded_by uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT arrival_ticket_pkey PRIMARY KEY (id_hash)
);
