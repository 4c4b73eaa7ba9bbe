-- Departments of a facility are units as well. `specialty`: a code of identity/units/specialties.json. A sensitive
-- unit is withheld from guardians, proxies and emergency contacts (security.md S23); it stays one as long as it is
-- open. discreet_name: what SMS, lock screens and tickets say in place of its name.
ALTER TABLE facility_unit ADD COLUMN specialty text;

ALTER TABLE facility_unit ADD COLUMN is_sensitive boolean NOT NULL DEFAULT false;

ALTER TABLE facility_unit ADD COLUMN discreet_name text;

-- A check cannot be widened in place.
-- squawk-ignore ban-drop-constraint
ALTER TABLE facility_unit DROP CONSTRAINT facility_unit_kind;

ALTER TABLE facility_unit ADD CONSTRAINT facility_unit_kind CHECK (kind IN ('emergency', 'department')) NOT VALID;

ALTER TABLE facility_unit VALIDATE CONSTRAINT facility_unit_kind;

-- The units of a facility in the order of their list.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX facility_unit_listed ON facility_unit (facility_id, unit_id);
