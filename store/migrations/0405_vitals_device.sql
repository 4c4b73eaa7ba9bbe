-- Phones and hubs that send a person's measurements. A row stays when its device is taken out: that is what keeps
-- the device out. added_by: who sent its first batch, the person or somebody who acts for the person.
-- table: vital_device distribute: patient_id with citizen
CREATE TABLE vital_device (
    patient_id uuid NOT NULL,
    device_id text NOT NULL,
    added_by uuid NOT NULL,
    added_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT vital_device_pkey PRIMARY KEY (patient_id, device_id)
);
