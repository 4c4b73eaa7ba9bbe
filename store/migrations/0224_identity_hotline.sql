-- The hotline's agent is a role like the others; a check cannot be widened in place.
-- squawk-ignore ban-drop-constraint
ALTER TABLE practitioner_role DROP CONSTRAINT practitioner_role_role_check;

ALTER TABLE practitioner_role ADD CONSTRAINT practitioner_role_role_check CHECK (role IN ('doctor', 'pharmacist',
    'vaccinator', 'nurse', 'clerk', 'facility-admin', 'registry-officer', 'privacy-officer', 'department-analyst',
    'hotline-agent')) NOT VALID;

ALTER TABLE practitioner_role VALIDATE CONSTRAINT practitioner_role_role_check;
