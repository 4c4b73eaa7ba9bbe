-- What a merge brings along from the other person, so that taking it back gives back exactly that (security.md
-- S10). taken_from: the merged person whose block it is. taken_over: parts that the merged person left out of
-- emergency access, each as "<person>/<part>"; the next own choice of the survivor takes their place.
ALTER TABLE consent_block ADD COLUMN taken_from uuid;

ALTER TABLE emergency_setting ADD COLUMN taken_over text[] NOT NULL DEFAULT '{}';

-- Who closed the review before a dispute opened it again: somebody else reads the dispute (security.md S24).
ALTER TABLE emergency_review ADD COLUMN closed_before_by uuid;
