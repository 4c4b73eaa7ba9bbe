-- Tickets of a hotline, by the organisation that runs it. Nobody's record: no person is named by an id. What the
-- caller says of himself and of what it is about is sealed under the ticket's own id.
-- table: hotline_ticket distribute: facility_id with citizen
CREATE TABLE hotline_ticket (
    facility_id uuid NOT NULL,
    ticket_id uuid NOT NULL,
    topic text NOT NULL,
    state text NOT NULL,
    body bytea NOT NULL,
    caller_name bytea,
    caller_phone bytea,
    outcome bytea,
    opened_by uuid NOT NULL,
    opened_at timestamptz NOT NULL,
    assigned_to uuid,
    assigned_at timestamptz,
    closed_by uuid,
    closed_at timestamptz,
    CONSTRAINT hotline_ticket_pkey PRIMARY KEY (facility_id, ticket_id),
    CONSTRAINT hotline_ticket_topic CHECK (topic IN (
        'sign-in', 'find-facility', 'appointment', 'record-question', 'sharing', 'lost-phone', 'complaint', 'other'
    )),
    CONSTRAINT hotline_ticket_state CHECK (state IN ('open', 'assigned', 'closed'))
);
