-- What a doctor with a grant hands to a nurse of the same facility: inside the grant, and over when that version
-- of it is (ended_at is set with it). told_on: the day on which the person was last told of its first use.
-- table: consent_delegation distribute: patient_id with citizen
CREATE TABLE consent_delegation (
    patient_id uuid NOT NULL,
    delegation_id uuid NOT NULL,
    grant_id uuid NOT NULL,
    delegated_by uuid NOT NULL,
    practitioner_id uuid NOT NULL,
    practitioner_name text NOT NULL,
    licence text NOT NULL,
    facility_id uuid NOT NULL,
    facility_name text NOT NULL,
    types text[] NOT NULL,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    told_on date,
    CONSTRAINT consent_delegation_pkey PRIMARY KEY (patient_id, delegation_id)
);

CREATE UNIQUE INDEX consent_delegation_live ON consent_delegation (patient_id, practitioner_id, facility_id)
WHERE ended_at IS NULL;

-- Set in the nurse's own line of the list, whose grant_id is then the delegation's.
ALTER TABLE practitioner_grant ADD COLUMN delegated_by uuid;
