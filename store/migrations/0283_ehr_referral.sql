-- How far a referral letter is: at the person's end beside the row of the record that it is (record_id), and at both
-- facilities' ends without a word of the record. Both ends are written in one transaction.
-- table: referral distribute: patient_id with citizen
CREATE TABLE referral (
    patient_id uuid NOT NULL,
    record_id text NOT NULL,
    referral_id uuid NOT NULL,
    sender_id uuid NOT NULL,
    receiver_id uuid,
    receiver_code text NOT NULL,
    number text NOT NULL,
    issued_on text NOT NULL,
    state text NOT NULL CHECK (state IN ('sent', 'received', 'booked', 'seen', 'answered')),
    received_at timestamptz,
    booked_for date,
    seen_at timestamptz,
    answered_at timestamptz,
    PRIMARY KEY (patient_id, record_id)
);

-- side: in at the receiver, out at the sender. gone: its row of the record does not stand.
-- table: facility_referral distribute: facility_id with citizen
CREATE TABLE facility_referral (
    facility_id uuid NOT NULL,
    side text NOT NULL CHECK (side IN ('in', 'out')),
    referral_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    other_id uuid,
    number text NOT NULL,
    issued_on text NOT NULL,
    reason text NOT NULL,
    state text NOT NULL CHECK (state IN ('sent', 'received', 'booked', 'seen', 'answered')),
    booked_for date,
    changed_at timestamptz NOT NULL,
    gone boolean NOT NULL,
    PRIMARY KEY (facility_id, side, referral_id)
);

CREATE INDEX facility_referral_of_person ON facility_referral (patient_id);
