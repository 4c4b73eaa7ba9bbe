-- What the first account of a desk proposes for somebody without a phone: whom that person lets act, and how far
-- (family/desk.py). for_number: the relative's national number, sealed for the person.
-- table: proxy_proposal distribute: proposal_id
CREATE TABLE proxy_proposal (
    proposal_id uuid NOT NULL,
    person_id uuid NOT NULL,
    scopes text[] NOT NULL,
    until timestamptz NOT NULL,
    for_number bytea NOT NULL,
    facility_id uuid NOT NULL,
    proposed_by uuid NOT NULL,
    proposed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    confirmed_by uuid,
    CONSTRAINT proxy_proposal_pkey PRIMARY KEY (proposal_id)
);
CREATE INDEX proxy_proposal_of_person ON proxy_proposal (person_id);

-- facility_id: whose desk made the offer; for_number: whose code it is, and nobody else's. Empty: the person's phone.
ALTER TABLE proxy_offer ADD COLUMN facility_id uuid;

ALTER TABLE proxy_offer ADD COLUMN for_number bytea;
