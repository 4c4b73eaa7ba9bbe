-- A kiosk stands at one counter of one facility: its client credential is the row of facility_client with the
-- same id. A one-time code brings the secret to the device; code_hash and code_until are there while one waits.
-- counter_id has no foreign key: counters lie by facility, and none is ever deleted.
-- table: kiosk distribute: reference
CREATE TABLE kiosk (
    client_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    counter_id uuid NOT NULL,
    made_by uuid NOT NULL,
    made_at timestamptz NOT NULL,
    code_hash bytea,
    code_until timestamptz,
    enrolled_at timestamptz,
    CONSTRAINT kiosk_pkey PRIMARY KEY (client_id),
    CONSTRAINT kiosk_code CHECK ((code_hash IS NULL) = (code_until IS NULL))
);

CREATE INDEX kiosk_by_facility ON kiosk (facility_id, made_at, client_id);

CREATE UNIQUE INDEX kiosk_by_code ON kiosk (code_hash);
