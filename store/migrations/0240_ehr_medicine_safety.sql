-- Tables of medicine safety that an operator loads from files: pairs of ingredients, and names of ingredients. None is
-- shipped. The one loaded last is in force; older ones stay, so that it is known what was said on a day.
-- table: medicine_table distribute: reference
CREATE TABLE medicine_table (
    kind text NOT NULL,
    version text NOT NULL,
    lines integer NOT NULL,
    content_sha256 bytea NOT NULL,
    loaded_at timestamptz NOT NULL,
    CONSTRAINT medicine_table_pkey PRIMARY KEY (kind, version),
    CONSTRAINT medicine_table_kind CHECK (kind IN ('pairs', 'names'))
);

-- Two ingredients, folded, the lower one first; `a_name`, `b_name` as the file writes them.
-- table: medicine_pair distribute: reference
CREATE TABLE medicine_pair (
    version text NOT NULL,
    a text NOT NULL,
    b text NOT NULL,
    a_name text NOT NULL,
    b_name text NOT NULL,
    severity text NOT NULL,
    words_vi text NOT NULL,
    words_en text NOT NULL,
    source text NOT NULL,
    licence text NOT NULL,
    CONSTRAINT medicine_pair_pkey PRIMARY KEY (a, b, version),
    CONSTRAINT medicine_pair_order CHECK (a < b),
    CONSTRAINT medicine_pair_severity CHECK (severity IN ('contraindicated', 'major', 'moderate', 'minor'))
);
CREATE INDEX medicine_pair_b ON medicine_pair (b, version);

-- What a brand, a registration number, a drug code, another spelling or a group of medicines stands for, folded. A
-- name may stand for several ingredients.
-- table: medicine_name distribute: reference
CREATE TABLE medicine_name (
    version text NOT NULL,
    name text NOT NULL,
    ingredient text NOT NULL,
    ingredient_name text NOT NULL,
    source text NOT NULL,
    licence text NOT NULL,
    CONSTRAINT medicine_name_pkey PRIMARY KEY (name, version, ingredient)
);

-- Somebody's word that a finding needs no more attention. `finding` is made of the facts, so another version of a line
-- or of a pair is another finding and stands again.
-- table: medicine_dismissal distribute: patient_id with citizen
CREATE TABLE medicine_dismissal (
    patient_id uuid NOT NULL,
    finding text NOT NULL,
    side text NOT NULL,
    reason text NOT NULL,
    actor_id uuid NOT NULL,
    facility_id uuid,
    dismissed_at timestamptz NOT NULL,
    CONSTRAINT medicine_dismissal_pkey PRIMARY KEY (patient_id, finding, side),
    CONSTRAINT medicine_dismissal_side CHECK (side IN ('doctor', 'person')),
    CONSTRAINT medicine_dismissal_reason CHECK (
        reason IN ('weighed', 'not-taken', 'not-the-same', 'tolerated', 'other')
    )
);
