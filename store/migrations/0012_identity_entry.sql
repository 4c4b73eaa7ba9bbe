-- table: session distribute: actor_id with citizen
CREATE TABLE session (
    actor_id uuid NOT NULL,
    session_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('citizen', 'practitioner', 'facility-system', 'kiosk', 'operator')),
    device_id uuid,
    practitioner_role_id uuid,
    access_hash bytea NOT NULL,
    access_until timestamptz NOT NULL,
    idle_until timestamptz,
    refresh_hash bytea,
    previous_refresh_hash bytea,
    rotated_at timestamptz,
    started_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    end_reason text,
    PRIMARY KEY (actor_id, session_id)
);

CREATE INDEX session_by_access_hash ON session (actor_id, access_hash);

-- table: device distribute: patient_id with citizen
CREATE TABLE device (
    patient_id uuid NOT NULL,
    device_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('app', 'browser')),
    name bytea NOT NULL,
    refresh_key text NOT NULL,
    step_up_key text NOT NULL,
    sign_count bigint NOT NULL,
    hotp_secret bytea NOT NULL,
    enrolled_at timestamptz NOT NULL,
    probation_until timestamptz NOT NULL,
    ended_at timestamptz,
    end_reason text,
    PRIMARY KEY (patient_id, device_id)
);

-- table: step_up_use distribute: patient_id with citizen
CREATE TABLE step_up_use (
    patient_id uuid NOT NULL,
    nonce_hash bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (patient_id, nonce_hash)
);

-- table: citizen_pin distribute: patient_id with citizen
CREATE TABLE citizen_pin (
    patient_id uuid PRIMARY KEY,
    pin_hash text NOT NULL,
    changed_at timestamptz NOT NULL
);

-- table: account_credential distribute: actor_id with citizen
CREATE TABLE account_credential (
    actor_id uuid PRIMARY KEY,
    password_hash text NOT NULL,
    totp_secret bytea NOT NULL,
    totp_last_step bigint NOT NULL,
    usable_from timestamptz NOT NULL,
    reset_at timestamptz
);

-- table: sign_in_challenge distribute: id_hash
CREATE TABLE sign_in_challenge (
    id_hash bytea PRIMARY KEY,
    patient_id uuid NOT NULL,
    phone_hash bytea NOT NULL,
    pepper_id text NOT NULL,
    code_hash bytea NOT NULL,
    code bytea,
    attempts smallint NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'used')),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

-- table: activation distribute: id_hash
CREATE TABLE activation (
    id_hash bytea PRIMARY KEY,
    activation_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    phone bytea NOT NULL,
    proposed_by uuid NOT NULL,
    proposed_at timestamptz NOT NULL,
    confirmed_by uuid,
    expires_at timestamptz NOT NULL
);

-- table: activation_code distribute: id_hash
CREATE TABLE activation_code (
    id_hash bytea PRIMARY KEY,
    activation_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    phone bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);

-- table: attempt_budget distribute: id_hash
CREATE TABLE attempt_budget (
    id_hash bytea NOT NULL,
    kind text NOT NULL,
    window_start timestamptz NOT NULL,
    used integer NOT NULL,
    PRIMARY KEY (id_hash, kind)
);
