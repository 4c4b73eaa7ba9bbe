-- A facility's name as people search and order it: without tone marks, as kernel/text.py folds.
-- A register of tens of thousands of rows, written anew in a second, and nobody adds to it meanwhile.
-- squawk-ignore adding-field-with-default,adding-required-field
ALTER TABLE facility ADD COLUMN sort_name text NOT NULL GENERATED ALWAYS AS (translate(lower(normalize(name)),
    'àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵÀÁẢÃẠĂẰẮẲẴẶÂẦẤẨẪẬĐÈÉẺẼẸÊỀẾỂỄỆÌÍỈĨỊÒÓỎÕỌÔỒỐỔỖỘƠỜỚỞỠỢÙÚỦŨỤƯỪỨỬỮỰỲÝỶỸỴ',
    'aaaaaaaaaaaaaaaaadeeeeeeeeeeeiiiiiooooooooooooooooouuuuuuuuuuuyyyyyaaaaaaaaaaaaaaaaadeeeeeeeeeeeiiiiiooooooooooooooooouuuuuuuuuuuyyyyy')) STORED;

-- squawk-ignore adding-field-with-default,adding-required-field
ALTER TABLE facility ADD COLUMN name_words tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('simple', translate(lower(normalize(name)),
    'àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵÀÁẢÃẠĂẰẮẲẴẶÂẦẤẨẪẬĐÈÉẺẼẸÊỀẾỂỄỆÌÍỈĨỊÒÓỎÕỌÔỒỐỔỖỘƠỜỚỞỠỢÙÚỦŨỤƯỪỨỬỮỰỲÝỶỸỴ./,-–—()&:;+_"“”*!?#@',
    'aaaaaaaaaaaaaaaaadeeeeeeeeeeeiiiiiooooooooooooooooouuuuuuuuuuuyyyyyaaaaaaaaaaaaaaaaadeeeeeeeeeeeiiiiiooooooooooooooooouuuuuuuuuuuyyyyy                     '))) STORED;

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX facility_by_words ON facility USING gin (name_words);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX facility_by_name ON facility (sort_name, facility_id);

-- The one code by which the first administrator of a facility makes an account of the facility's own: printed once,
-- handed over on paper, used once. The newest row of a facility counts alone.
-- table: facility_activation distribute: reference
CREATE TABLE facility_activation (
    facility_id uuid NOT NULL,
    code_hash bytea NOT NULL,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    practitioner_id uuid,
    CONSTRAINT facility_activation_pkey PRIMARY KEY (facility_id)
);

CREATE UNIQUE INDEX facility_activation_by_code ON facility_activation (code_hash);
