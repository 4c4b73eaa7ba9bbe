-- Letters that prove a phone, of somebody who signs up, enrols with an identity provider or changes the phone.
-- patient_id: of who changes it, or an id of nobody yet: that which the account of a sign-up will have. phone: sealed; code: sealed until it was sent.
-- table: phone_proof distribute: id_hash
CREATE TABLE phone_proof (
    id_hash bytea PRIMARY KEY,
    purpose text NOT NULL CHECK (purpose IN ('sign-up', 'enrolment', 'phone-change')),
    patient_id uuid NOT NULL,
    phone_hash bytea NOT NULL,
    phone bytea NOT NULL,
    pepper_id text NOT NULL,
    code_hash bytea NOT NULL,
    code bytea,
    attempts smallint NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'used')),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

-- The age of letters, an hour's job.
CREATE INDEX phone_proof_age ON phone_proof (expires_at);

-- The phone of an account that nobody's identity stands behind: letters go there, and no consent code, no search
-- by phone and no warning of a proven person's (security.md S1).
-- Only widened: what an older program writes stays allowed.
-- squawk-ignore ban-drop-constraint
ALTER TABLE phone DROP CONSTRAINT phone_role_check;

ALTER TABLE phone ADD CONSTRAINT phone_role CHECK (role IN ('contact', 'login', 'sign-up')) NOT VALID;

ALTER TABLE phone VALIDATE CONSTRAINT phone_role;
