-- Requests that somebody answered for another; every version of the grant names its request. What a guardian
-- granted waits, from the fifteenth birthday (youth_from), for the young person's own word until confirm_by; both
-- are empty where no age ends the grant.
-- table: grant_for_another distribute: patient_id with citizen
CREATE TABLE grant_for_another (
    patient_id uuid NOT NULL,
    request_id uuid NOT NULL,
    granted_by uuid NOT NULL,
    relation text NOT NULL,
    assent text,
    youth_from timestamptz,
    confirm_by timestamptz,
    CONSTRAINT grant_for_another_pkey PRIMARY KEY (patient_id, request_id),
    CONSTRAINT grant_for_another_relation CHECK (relation IN ('guardian', 'proxy')),
    CONSTRAINT grant_for_another_assent CHECK (assent IN ('own-device', 'guardian-attested', 'doctor-attested'))
);

-- That a child agreed to a request, by the own device or by the word of the doctor who asks.
-- table: child_assent distribute: patient_id with citizen
CREATE TABLE child_assent (
    patient_id uuid NOT NULL,
    request_id uuid NOT NULL,
    method text NOT NULL,
    given_by uuid NOT NULL,
    given_at timestamptz NOT NULL,
    CONSTRAINT child_assent_pkey PRIMARY KEY (patient_id, request_id),
    CONSTRAINT child_assent_method CHECK (method IN ('own-device', 'doctor-attested'))
);
