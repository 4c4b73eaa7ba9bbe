-- A check-in or a booking that guardians, proxies and emergency contacts learn nothing of (security.md S23). item_id:
-- the check-in's or the booking's. reason: own-wish of the person, sensitive-department by the place, else a
-- clinician's.
-- table: visit_safety distribute: patient_id with citizen
CREATE TABLE visit_safety (
    patient_id uuid NOT NULL,
    item_id uuid NOT NULL,
    kind text NOT NULL,
    reason text NOT NULL,
    set_at timestamptz NOT NULL,
    CONSTRAINT visit_safety_pkey PRIMARY KEY (patient_id, item_id),
    CONSTRAINT visit_safety_kind CHECK (kind IN ('check-in', 'booking')),
    CONSTRAINT visit_safety_reason CHECK (
        reason IN ('own-wish', 'suspected-abuse', 'self-harm-risk', 'shared-phone', 'sensitive-department')
    )
);

CREATE INDEX visit_safety_age ON visit_safety (set_at);
