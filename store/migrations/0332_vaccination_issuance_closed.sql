-- When whoever asked for a signature gave it up: none is given for the row from then on.
ALTER TABLE certificate_issuance ADD COLUMN closed_at timestamptz;
