-- What a person lets stand on the emergency card: lines that were ticked one by one, and the code under which
-- whoever finds the card opens them. `agreed_at`: the last step-up act; `secret_hash` is all that is compared,
-- `secret_sealed` is there to print the card again.
-- table: emergency_card distribute: patient_id with citizen
CREATE TABLE emergency_card (
    patient_id uuid NOT NULL,
    card_id uuid NOT NULL,
    version int NOT NULL,
    parts text [] NOT NULL,
    secret_hash bytea NOT NULL,
    secret_sealed bytea NOT NULL,
    origins uuid [] NOT NULL,
    agreed_at timestamptz NOT NULL,
    issued_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT emergency_card_pkey PRIMARY KEY (patient_id),
    CONSTRAINT emergency_card_parts CHECK (cardinality(parts) > 0 AND parts <@ ARRAY['identity', 'allergies',
        'blood-group', 'conditions', 'medicines', 'implants', 'contacts'])
);

-- Whom a person named to be told in an emergency. Name and number are the contact's own data, sealed under the
-- person; the number never becomes a phone that somebody signs in with.
-- table: emergency_contact distribute: patient_id with citizen
CREATE TABLE emergency_contact (
    patient_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    name_sealed bytea NOT NULL,
    phone_sealed bytea NOT NULL,
    relation text NOT NULL,
    state text NOT NULL,
    code_hash bytea NOT NULL,
    named_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    answered_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT emergency_contact_pkey PRIMARY KEY (patient_id, contact_id),
    CONSTRAINT emergency_contact_relation CHECK (relation IN ('spouse', 'parent', 'child', 'sibling', 'relative',
        'friend', 'neighbour', 'carer')),
    CONSTRAINT emergency_contact_state CHECK (state IN ('invited', 'accepted', 'declined', 'ended'))
);

-- The other end: the code that was sent to the contact's phone, by its hash.
-- table: emergency_contact_code distribute: code_hash
CREATE TABLE emergency_contact_code (
    code_hash bytea NOT NULL,
    patient_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    CONSTRAINT emergency_contact_code_pkey PRIMARY KEY (code_hash)
);
