-- Administrative units before and after the reform of 2025, side by side: a code means what it meant between its days.
-- What is in here was imported from a file; the program knows no code of its own.
-- table: administrative_unit distribute: reference
CREATE TABLE administrative_unit (
    level text NOT NULL,
    code text NOT NULL,
    valid_from date NOT NULL,
    valid_until date,
    name text NOT NULL,
    parent_code text,
    source text NOT NULL,
    CONSTRAINT administrative_unit_pkey PRIMARY KEY (level, code, valid_from),
    CONSTRAINT administrative_unit_level CHECK (level IN ('province', 'district', 'commune')),
    CONSTRAINT administrative_unit_days CHECK (valid_until IS NULL OR valid_until >= valid_from)
);

CREATE INDEX administrative_unit_by_parent ON administrative_unit (level, parent_code, name, code);

-- Which units of today a former one became: several where it was divided.
-- table: administrative_successor distribute: reference
CREATE TABLE administrative_successor (
    level text NOT NULL,
    code text NOT NULL,
    valid_from date NOT NULL,
    new_code text NOT NULL,
    CONSTRAINT administrative_successor_pkey PRIMARY KEY (level, code, valid_from, new_code)
);

CREATE INDEX administrative_successor_by_new ON administrative_successor (level, new_code);

-- What the directory says of a facility beside its name. spot: longitude and latitude on Mercator's map, in degrees:
-- near a place its distances are true to one another (visits/directory/spots.py).
-- table: facility_listing distribute: reference
CREATE TABLE facility_listing (
    facility_id uuid NOT NULL,
    address text,
    commune_code text,
    former_commune_code text,
    latitude double precision,
    longitude double precision,
    spot point,
    phone text,
    hours text,
    changed_at timestamptz NOT NULL,
    CONSTRAINT facility_listing_pkey PRIMARY KEY (facility_id),
    CONSTRAINT facility_listing_place CHECK (
        (latitude IS NULL) = (longitude IS NULL) AND (latitude IS NULL) = (spot IS NULL)
    )
);

CREATE INDEX facility_listing_near ON facility_listing USING gist (spot);

CREATE INDEX facility_listing_by_commune ON facility_listing (commune_code, facility_id);

CREATE INDEX facility_listing_by_former ON facility_listing (former_commune_code, facility_id);

-- A specialty of a facility. `spot` lies a thousand degrees to the east for each running number of the list of
-- specialties, so that one index finds the nearest of each: PostgreSQL has no operator class that would keep text and
-- points in one without an extension.
-- table: facility_specialty distribute: reference
CREATE TABLE facility_specialty (
    facility_id uuid NOT NULL,
    specialty text NOT NULL,
    spot point,
    is_declared boolean NOT NULL,
    CONSTRAINT facility_specialty_pkey PRIMARY KEY (specialty, facility_id)
);

CREATE INDEX facility_specialty_of_facility ON facility_specialty (facility_id);

CREATE INDEX facility_specialty_near ON facility_specialty USING gist (spot);
