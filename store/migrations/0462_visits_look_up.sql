-- How a facility's look-ups of people went, counted by day, by what was typed and by how it ended; nobody is named.
-- table: look_up_count distribute: facility_id
CREATE TABLE look_up_count (
    facility_id uuid NOT NULL,
    day date NOT NULL,
    kind text NOT NULL,
    outcome text NOT NULL,
    times int NOT NULL,
    CONSTRAINT look_up_count_pkey PRIMARY KEY (facility_id, day, kind, outcome),
    CONSTRAINT look_up_count_kind CHECK (
        kind IN ('national-id', 'insurance-card', 'insurance-number', 'phone')
    ),
    CONSTRAINT look_up_count_outcome CHECK (
        outcome IN ('found', 'bad-form', 'unknown', 'too-many', 'matched', 'differs', 'used-up')
    )
);

CREATE INDEX look_up_count_age ON look_up_count (day);
