-- Whether the facility knows of a case. What follows from a number that somebody typed at a desk is the person's
-- own until the person says "I was there": the list of a facility must not tell whose number it was (security.md S19).
ALTER TABLE ehr_case ADD COLUMN facility_told boolean NOT NULL DEFAULT true;
