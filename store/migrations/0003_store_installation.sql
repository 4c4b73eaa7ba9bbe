-- table: installation distribute: reference
CREATE TABLE installation (
    singleton boolean NOT NULL,
    demo boolean NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT installation_pkey PRIMARY KEY (singleton),
    CONSTRAINT installation_singleton CHECK (singleton)
);
