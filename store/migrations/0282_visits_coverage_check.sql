-- A card that was asked about at a desk: at whose, with which arrival, and what the insurance gateway answered. Neither
-- number nor name: who was here stands in check_in alone. failure: why there was no answer.
-- table: coverage_check distribute: facility_id
CREATE TABLE coverage_check (
    facility_id uuid NOT NULL,
    check_id uuid NOT NULL,
    arrival_id uuid NOT NULL,
    asked_by uuid NOT NULL,
    asked_at timestamptz NOT NULL,
    answered_at timestamptz,
    code text CHECK (code ~ '^[0-9]{3}$'),
    failure text CHECK (failure IN ('timeout', 'unreachable', 'bad-answer', 'busy', 'not-set')),
    PRIMARY KEY (facility_id, check_id)
);
