-- Units of a facility that carry a right of their own: breaking the glass is for an emergency unit (security.md S24).
-- table: facility_unit distribute: reference
CREATE TABLE facility_unit (
    unit_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    CONSTRAINT facility_unit_pkey PRIMARY KEY (unit_id),
    CONSTRAINT facility_unit_kind CHECK (kind IN ('emergency'))
);

CREATE INDEX facility_unit_by_facility ON facility_unit (facility_id);

-- The unit that a role works in; NULL for none.
ALTER TABLE practitioner_role ADD COLUMN unit_id uuid;

-- A register of the country's staff: built in seconds, and nobody adds roles meanwhile.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX practitioner_role_by_unit ON practitioner_role (unit_id) WHERE unit_id IS NOT NULL;

-- Breaking the glass alone is taken away: grants and sessions go on. Two operators give it back.
ALTER TABLE practitioner ADD COLUMN emergency_suspended_at timestamptz;

-- When this session last showed a factor again (ASVS 7.5.3).
ALTER TABLE session ADD COLUMN reauthenticated_at timestamptz;

-- The program knows the kinds of change that it can decode; a list here would have to be dropped and made anew by
-- every package that adds one.
-- squawk-ignore ban-drop-constraint
ALTER TABLE register_change DROP CONSTRAINT IF EXISTS register_change_kind;
