-- When a facility may vaccinate: without it nothing that it sends becomes a certificate (security.md S28). An operator
-- enters and ends it. until_on: the last day, none = until somebody ends it.
-- table: vaccination_authority distribute: reference
CREATE TABLE vaccination_authority (
    facility_id uuid NOT NULL,
    from_on date NOT NULL,
    until_on date,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT vaccination_authority_pkey PRIMARY KEY (facility_id, from_on),
    CONSTRAINT vaccination_authority_period CHECK (until_on IS NULL OR until_on >= from_on)
);

-- A dose that was sent long after its day, and that a second account said is true. `patient_id`, `dose_id`: whose the
-- dose is and its id there, which a merge does not change. said_sha256: over what the dose says; when it says something
-- else, it is to be confirmed anew. confirmed_by: an account of the facility, or the nil id for two operators.
-- table: vaccination_confirmation distribute: patient_id with citizen
CREATE TABLE vaccination_confirmation (
    patient_id uuid NOT NULL,
    dose_id text NOT NULL,
    said_sha256 bytea NOT NULL,
    facility_id uuid NOT NULL,
    confirmed_by uuid NOT NULL,
    confirmed_at timestamptz NOT NULL,
    CONSTRAINT vaccination_confirmation_pkey PRIMARY KEY (patient_id, dose_id, said_sha256)
);

-- What a facility is asked to confirm, at its end: a person asked for the certificate of a dose that came late.
-- table: facility_vaccination_confirmation distribute: facility_id with citizen
CREATE TABLE facility_vaccination_confirmation (
    facility_id uuid NOT NULL,
    confirmation_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    dose_id text NOT NULL,
    said_sha256 bytea NOT NULL,
    asked_at timestamptz NOT NULL,
    confirmed_at timestamptz,
    CONSTRAINT facility_vaccination_confirmation_pkey PRIMARY KEY (facility_id, confirmation_id),
    CONSTRAINT facility_vaccination_confirmation_once UNIQUE (facility_id, patient_id, dose_id, said_sha256)
);

CREATE INDEX facility_vaccination_confirmation_of_person ON facility_vaccination_confirmation (patient_id);

-- HC1 certificates. dose_id: as above. signer_id, kid: the key, ours and as verifiers name it. content: what is signed until it is signed, then the text of the code.
-- facts_sha256: over what the certificate says of person and dose; where they say something else now, it is replaced.
-- signing: its row of the signer waits; abandoned: never signed, or the signature was lost; renewed: another one took
-- over before the end, and this one holds to its end; replaced, revoked: on the revocation list.
-- table: vaccination_certificate distribute: patient_id with citizen
CREATE TABLE vaccination_certificate (
    patient_id uuid NOT NULL,
    certificate_id uuid NOT NULL,
    dose_id text NOT NULL,
    issuance_id uuid NOT NULL,
    signer_id text NOT NULL,
    kid text NOT NULL,
    algorithm int NOT NULL,
    state text NOT NULL,
    content bytea NOT NULL,
    facts_sha256 bytea NOT NULL,
    begun_at timestamptz NOT NULL,
    issued_at timestamptz,
    expires_at timestamptz NOT NULL,
    replaces uuid,
    replaced_by uuid,
    ended_at timestamptz,
    end_reason text,
    CONSTRAINT vaccination_certificate_pkey PRIMARY KEY (patient_id, certificate_id),
    CONSTRAINT vaccination_certificate_state CHECK (
        state IN ('signing', 'abandoned', 'valid', 'renewed', 'replaced', 'revoked')
    )
);

-- One certificate of a dose holds, and one is being made, however many ask at once.
CREATE UNIQUE INDEX vaccination_certificate_valid ON vaccination_certificate (patient_id, dose_id)
WHERE state = 'valid';

CREATE UNIQUE INDEX vaccination_certificate_signing ON vaccination_certificate (patient_id, dose_id)
WHERE state = 'signing';

-- From the number on a certificate to its row, by its hash.
-- table: vaccination_certificate_number distribute: number_hash
CREATE TABLE vaccination_certificate_number (
    number_hash bytea NOT NULL,
    patient_id uuid NOT NULL,
    certificate_id uuid NOT NULL,
    CONSTRAINT vaccination_certificate_number_pkey PRIMARY KEY (number_hash)
);

CREATE INDEX vaccination_certificate_number_of_person ON vaccination_certificate_number (patient_id);

-- How a person's name stands in the passport, where the rule of letters or of the family name does not give it.
-- set_by: person (the same letters, parted otherwise) or operator (who saw the passport).
-- table: vaccination_passport_name distribute: patient_id with citizen
CREATE TABLE vaccination_passport_name (
    patient_id uuid NOT NULL,
    names bytea NOT NULL,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL,
    CONSTRAINT vaccination_passport_name_pkey PRIMARY KEY (patient_id),
    CONSTRAINT vaccination_passport_name_by CHECK (set_by IN ('person', 'operator'))
);
