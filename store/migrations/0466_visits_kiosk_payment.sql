-- What a kiosk's payment terminal said of a fee: its reference and how it ended. No sum, no card, no person.
-- table: kiosk_payment distribute: facility_id with citizen
CREATE TABLE kiosk_payment (
    facility_id uuid NOT NULL,
    reference text NOT NULL,
    client_id uuid NOT NULL,
    counter_id uuid NOT NULL,
    state text NOT NULL,
    ticket_day date,
    ticket_number int,
    noted_at timestamptz NOT NULL,
    moved_at timestamptz NOT NULL,
    CONSTRAINT kiosk_payment_pkey PRIMARY KEY (facility_id, client_id, reference),
    CONSTRAINT kiosk_payment_state CHECK (state IN ('started', 'paid', 'failed', 'cancelled')),
    CONSTRAINT kiosk_payment_reference CHECK (length(reference) <= 64),
    CONSTRAINT kiosk_payment_ticket CHECK ((ticket_day IS NULL) = (ticket_number IS NULL))
);

CREATE INDEX kiosk_payment_of_facility ON kiosk_payment (facility_id, noted_at, client_id, reference);

CREATE INDEX kiosk_payment_age ON kiosk_payment (noted_at);
