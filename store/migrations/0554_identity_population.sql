-- Lists of an authority that an operator takes in (residents, the insurer's cards, households), and how far each is.
-- load_id: made of the kind and of the file's content, so that the same file goes on where it stopped. run: how often
-- it was taken whole. Nothing of a person stands here.
-- table: population_load distribute: load_id
CREATE TABLE population_load (
    load_id uuid NOT NULL,
    list text NOT NULL,
    operator text NOT NULL,
    run int NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    lines_done int NOT NULL,
    made int NOT NULL,
    changed int NOT NULL,
    unchanged int NOT NULL,
    refused int NOT NULL,
    disagreeing int NOT NULL,
    CONSTRAINT population_load_pkey PRIMARY KEY (load_id),
    CONSTRAINT population_load_list CHECK (list IN ('residents', 'cards', 'households'))
);

-- Lines of which something is to be said: codes and names of fields, never a value, nor whose line.
-- table: population_line distribute: load_id with population_load
CREATE TABLE population_line (
    load_id uuid NOT NULL,
    line int NOT NULL,
    status text NOT NULL,
    reasons text NOT NULL,
    CONSTRAINT population_line_pkey PRIMARY KEY (load_id, line),
    CONSTRAINT population_line_status CHECK (status IN ('refused', 'disagreeing', 'taken'))
);

-- What a list says of a person, beside the person and never over it (security.md S17), sealed. item: which of several
-- things of one list: the first day of a card, else empty. line: where it stands in its file.
-- table: person_listing distribute: patient_id with citizen
CREATE TABLE person_listing (
    patient_id uuid NOT NULL,
    list text NOT NULL,
    item text NOT NULL,
    load_id uuid NOT NULL,
    line int NOT NULL,
    facts bytea NOT NULL,
    listed_at timestamptz NOT NULL,
    CONSTRAINT person_listing_pkey PRIMARY KEY (patient_id, list, item),
    CONSTRAINT person_listing_list CHECK (list IN ('residents', 'cards', 'households'))
);
