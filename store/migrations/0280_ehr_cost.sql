-- What a visit cost, in whole đồng, as its facility sent it: beside the record and never part of it, so that no grant,
-- link or export can reach it. A row is a version; the last that nobody took back stands. Whether it is shown at all is
-- decided by its Encounter, whose id this is.
-- table: ehr_cost distribute: patient_id with citizen
CREATE TABLE ehr_cost (
    patient_id uuid NOT NULL,
    encounter_id text NOT NULL,
    number int NOT NULL,
    total bigint,
    in_scope bigint,
    fund bigint,
    copaid bigint,
    self_paid bigint,
    other bigint,
    sum_check text NOT NULL CHECK (sum_check IN ('agree', 'disagree', 'unknown')),
    benefits int [] NOT NULL,
    credential text NOT NULL,
    batch uuid,
    received_at timestamptz NOT NULL,
    taken_back_at timestamptz,
    PRIMARY KEY (patient_id, encounter_id, number)
);
