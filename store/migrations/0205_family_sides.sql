-- An invitation at the end of the person who made it: listed there, and ended there. proxy_invitation says which one a
-- code is.
-- table: proxy_offer distribute: patient_id with citizen
CREATE TABLE proxy_offer (
    patient_id uuid NOT NULL,
    invitation_id uuid NOT NULL,
    scopes text[] NOT NULL,
    until timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT proxy_offer_pkey PRIMARY KEY (patient_id, invitation_id)
);

-- Each side disputes for itself: disputed_at is the word of the person acted for, acting_disputed_at that of who acts.
ALTER TABLE proxy ADD COLUMN acting_disputed_at timestamptz;

ALTER TABLE guardianship ADD COLUMN acting_disputed_at timestamptz;

-- starts_at: a guardian who was attested beside another one waits; empty: from `since` on.
-- barred_at_facility: whose registry officers brought the court's order.
ALTER TABLE guardianship ADD COLUMN starts_at timestamptz;

ALTER TABLE guardianship ADD COLUMN barred_at_facility uuid;

UPDATE guardianship SET acting_disputed_at = disputed_at, disputed_at = NULL WHERE disputed_by = guardian_id;

UPDATE proxy SET acting_disputed_at = disputed_at, disputed_at = NULL WHERE disputed_by = proxy_id;
