-- Working off what waits: where it stood in what batch, by which rules the gate judged it, and who proposed
-- whose it is until a second officer agrees. The last byte of quarantine_id is its bucket. What was kept
-- before could not be imported again; its senders send it again.
DELETE FROM ehr_quarantine;

ALTER TABLE ehr_quarantine
    ADD COLUMN batch uuid,
    ADD COLUMN unit text NOT NULL DEFAULT '',
    ADD COLUMN rules int NOT NULL DEFAULT 0,
    ADD COLUMN proposed_patient_id uuid,
    ADD COLUMN proposed_by uuid,
    ADD COLUMN proposed_from uuid;

-- Every act on what waits or waited: who and when, never what it said. `code` is of a closed list.
-- table: quarantine_event distribute: bucket
CREATE TABLE quarantine_event (
    bucket int NOT NULL,
    quarantine_id uuid NOT NULL,
    event_id uuid NOT NULL,
    happened_at timestamptz NOT NULL,
    act text NOT NULL CHECK (act IN (
        'kept', 'viewed', 'proposed', 'resolved', 'returned', 'opened', 'released', 'refused', 'expired',
        'reverted', 'replaced'
    )),
    code text NOT NULL,
    facility_id uuid,
    unit text NOT NULL,
    batch uuid,
    actor_id uuid,
    practitioner_role_id uuid,
    PRIMARY KEY (bucket, quarantine_id, event_id)
);

-- What came back to a facility is looked for in each shard.
CREATE INDEX quarantine_event_returned ON quarantine_event (bucket, facility_id, event_id) WHERE act = 'returned';
