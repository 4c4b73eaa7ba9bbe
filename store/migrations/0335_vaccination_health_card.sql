-- SMART Health Cards. content: sealed, what a card says of person and doses, what is signed, and the signatures. rid: the
-- random name by which the issuer's list revokes it; kid: the key, as verifiers name it; signer_id: as we do.
-- signing: signatures are awaited; abandoned: they did not come, or nobody kept them; valid; replaced: a newer card of
-- the book was made and this one is true still; revoked: on the list.
-- table: health_card distribute: patient_id with citizen
CREATE TABLE health_card (
    patient_id uuid NOT NULL,
    card_id uuid NOT NULL,
    book text NOT NULL,
    signer_id text NOT NULL,
    kid text NOT NULL,
    rid text NOT NULL,
    state text NOT NULL,
    content bytea NOT NULL,
    begun_at timestamptz NOT NULL,
    issued_at timestamptz,
    ended_at timestamptz,
    end_reason text,
    CONSTRAINT health_card_pkey PRIMARY KEY (patient_id, card_id),
    CONSTRAINT health_card_book CHECK (book IN ('childhood', 'adult')),
    CONSTRAINT health_card_state CHECK (state IN ('signing', 'abandoned', 'valid', 'replaced', 'revoked')),
    CONSTRAINT health_card_rid CHECK (length(rid) BETWEEN 1 AND 24)
);

-- One card of a book is the newest, and one is being made, however many ask at once.
CREATE UNIQUE INDEX health_card_valid ON health_card (patient_id, book) WHERE state = 'valid';

CREATE UNIQUE INDEX health_card_signing ON health_card (patient_id, book) WHERE state = 'signing';
