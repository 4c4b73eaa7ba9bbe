-- What an activation replaced, for as long as its device is on probation: ending the device puts it back.
-- table: activation_undo distribute: patient_id with citizen
CREATE TABLE activation_undo (
    patient_id uuid NOT NULL,
    device_id uuid NOT NULL,
    pin_hash text NOT NULL,
    phone_hash bytea,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (patient_id, device_id)
);
