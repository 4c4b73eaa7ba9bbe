-- Practitioners and facilities from which a person wants no requests. A lifted block stays as its own trail.
-- target_id: a practitioner_id or facility_id; name: as the person saw it.
-- table: consent_block distribute: patient_id with citizen
CREATE TABLE consent_block (
    patient_id uuid NOT NULL,
    block_id uuid NOT NULL,
    kind text NOT NULL,
    target_id uuid NOT NULL,
    name text NOT NULL,
    blocked_at timestamptz NOT NULL,
    lifted_at timestamptz,
    CONSTRAINT consent_block_pkey PRIMARY KEY (patient_id, block_id),
    CONSTRAINT consent_block_kind CHECK (kind IN ('practitioner', 'facility'))
);

CREATE UNIQUE INDEX consent_block_live ON consent_block (patient_id, target_id)
WHERE lifted_at IS NULL;

-- Reports block through the table above: nobody asks for them by practitioner any more.
-- Made before the first release: no table in use waits for it.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX access_request_reported;
