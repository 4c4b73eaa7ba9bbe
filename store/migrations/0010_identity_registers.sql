-- table: facility distribute: reference
CREATE TABLE facility (
    facility_id uuid PRIMARY KEY,
    name text NOT NULL,
    short_name text NOT NULL CHECK (length(short_name) <= 20),
    discreet_name text NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz
);

-- table: facility_code distribute: reference
CREATE TABLE facility_code (
    facility_id uuid NOT NULL,
    system text NOT NULL CHECK (system IN ('cskcb-5', 'qd1551-13')),
    code text NOT NULL,
    valid_from date NOT NULL,
    valid_until date,
    PRIMARY KEY (system, code, valid_from)
);

CREATE INDEX facility_code_by_facility ON facility_code (facility_id);

-- table: practitioner distribute: reference
CREATE TABLE practitioner (
    practitioner_id uuid PRIMARY KEY,
    user_name text NOT NULL UNIQUE,
    name text NOT NULL,
    licence text UNIQUE,
    licence_from date,
    licence_until date,
    suspended_at timestamptz,
    ended_at timestamptz,
    created_at timestamptz NOT NULL
);

-- table: practitioner_role distribute: reference
CREATE TABLE practitioner_role (
    practitioner_role_id uuid PRIMARY KEY,
    practitioner_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('doctor', 'pharmacist', 'vaccinator', 'nurse', 'clerk',
        'facility-admin', 'registry-officer', 'privacy-officer')),
    active_from timestamptz NOT NULL,
    active_until timestamptz
);

CREATE INDEX practitioner_role_by_practitioner ON practitioner_role (practitioner_id);

-- table: operator distribute: reference
CREATE TABLE operator (
    operator_id uuid PRIMARY KEY,
    user_name text NOT NULL UNIQUE,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    ended_at timestamptz
);

-- table: facility_client distribute: reference
CREATE TABLE facility_client (
    client_id uuid PRIMARY KEY,
    facility_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('facility-system', 'kiosk')),
    name text NOT NULL,
    secret_hash bytea NOT NULL,
    created_at timestamptz NOT NULL,
    ended_at timestamptz
);

-- table: register_change distribute: reference
CREATE TABLE register_change (
    change_id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('facility', 'practitioner', 'practitioner-role',
        'practitioner-role-end', 'facility-client', 'credential-reset')),
    facility_id uuid,
    body text NOT NULL,
    reason text NOT NULL,
    proposed_by uuid NOT NULL,
    proposed_at timestamptz NOT NULL,
    confirmed_by uuid,
    confirmed_at timestamptz,
    created_id uuid
);
