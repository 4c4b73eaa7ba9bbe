-- Who acts for an adult by a court's decision that the adult cannot: a proxy whom two registry officers wrote down with
-- the paper, for 12 months at a time. document: the decision's number and day, sealed for the person.
ALTER TABLE proxy ADD COLUMN court_document bytea;

ALTER TABLE proxy ADD COLUMN court_facility_id uuid;

ALTER TABLE guardianship_proposal ADD COLUMN document bytea;

-- A check cannot be widened in place.
-- squawk-ignore ban-drop-constraint
ALTER TABLE guardianship_proposal DROP CONSTRAINT guardianship_proposal_kind;

ALTER TABLE guardianship_proposal ADD CONSTRAINT guardianship_proposal_kind
    CHECK (kind IN ('link', 'bar', 'unbar', 'ward', 'end-ward')) NOT VALID;

ALTER TABLE guardianship_proposal VALIDATE CONSTRAINT guardianship_proposal_kind;
