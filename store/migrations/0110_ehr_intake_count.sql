-- What senders sent and what became of it, by day, without any person: units imported, quarantined and
-- rejected (reason: a code), what the gate withheld, and documents (reason: their type). The nil facility is
-- an operator's import. `bucket` spreads the writers of one facility over rows: sum over it.
-- table: ehr_intake_count distribute: bucket
CREATE TABLE ehr_intake_count (
    bucket int NOT NULL,
    facility_id uuid NOT NULL,
    day date NOT NULL,
    status text NOT NULL CHECK (status IN (
        'imported', 'quarantined', 'rejected', 'withheld', 'document', 'resolved', 'returned', 'review',
        'released', 'refused', 'expired', 'retracted'
    )),
    reason text NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (bucket, facility_id, day, status, reason)
);
