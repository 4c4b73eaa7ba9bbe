-- What registry officers do with persons (security.md S10, S18): two officers of different facilities each.
-- `body` names persons and numbers and is sealed under act_id.
-- table: registry_act distribute: act_id
CREATE TABLE registry_act (
    act_id uuid NOT NULL,
    kind text NOT NULL,
    evidence text NOT NULL,
    body bytea NOT NULL,
    reason text NOT NULL,
    state text NOT NULL,
    proposed_by uuid NOT NULL,
    proposed_facility uuid NOT NULL,
    proposed_at timestamptz NOT NULL,
    decided_by uuid,
    decided_facility uuid,
    decided_at timestamptz,
    CONSTRAINT registry_act_pkey PRIMARY KEY (act_id),
    CONSTRAINT registry_act_kind CHECK (kind IN ('merge', 'unmerge', 'attach-number', 'replace-number',
        'cancel-number', 'death-notice', 'death-withdrawn')),
    CONSTRAINT registry_act_evidence CHECK (evidence IN ('verified-identifiers', 'documents-seen')),
    CONSTRAINT registry_act_state CHECK (state IN ('proposed', 'confirmed', 'refused'))
);

-- The few acts that wait are found among these alone.
CREATE INDEX registry_act_proposed ON registry_act (act_id, proposed_at) WHERE state = 'proposed';

-- One merge and how far its rows are. Rows of the merged person get seq + seq_offset at the survivor, and
-- seq - seq_offset on the way back, so that nothing about their order has to be remembered.
-- table: person_merge distribute: merge_id
CREATE TABLE person_merge (
    merge_id uuid NOT NULL,
    merged_id uuid NOT NULL,
    survivor_id uuid NOT NULL,
    state text NOT NULL,
    merged_state text NOT NULL,
    lineage uuid[] NOT NULL,
    seq_offset bigint NOT NULL,
    rows_moved bigint NOT NULL,
    decided_at timestamptz NOT NULL,
    moved_at timestamptz,
    undone_at timestamptz,
    CONSTRAINT person_merge_pkey PRIMARY KEY (merge_id),
    CONSTRAINT person_merge_state CHECK (state IN ('moving', 'moved', 'returning', 'undone'))
);

-- Who a person is now. Read by every look-up; the numbers themselves stay with the person who had them.
-- table: person_alias distribute: patient_id with citizen
CREATE TABLE person_alias (
    patient_id uuid NOT NULL,
    survivor_id uuid NOT NULL,
    merge_id uuid NOT NULL,
    since timestamptz NOT NULL,
    CONSTRAINT person_alias_pkey PRIMARY KEY (patient_id)
);

-- The other end: whose rows a book holds besides its own, and from when they can be seen through it.
-- table: person_origin distribute: patient_id with citizen
CREATE TABLE person_origin (
    patient_id uuid NOT NULL,
    origin_id uuid NOT NULL,
    merge_id uuid NOT NULL,
    visible_at timestamptz NOT NULL,
    needs_proof boolean NOT NULL,
    proven_at timestamptz,
    moved_at timestamptz,
    CONSTRAINT person_origin_pkey PRIMARY KEY (patient_id, origin_id)
);

-- What was there between two instants opens nothing until it is proven again: devices, phones, grants, links.
-- table: person_hold distribute: patient_id with citizen
CREATE TABLE person_hold (
    patient_id uuid NOT NULL,
    hold_id uuid NOT NULL,
    merge_id uuid NOT NULL,
    held_from timestamptz NOT NULL,
    held_until timestamptz NOT NULL,
    CONSTRAINT person_hold_pkey PRIMARY KEY (patient_id, hold_id)
);

ALTER TABLE device ADD COLUMN proven_at timestamptz;

ALTER TABLE phone ADD COLUMN proven_at timestamptz;
