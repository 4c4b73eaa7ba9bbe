-- The end of an installation (healthbook decommission): closed_at, from when on nothing serves it any more;
-- handed_over, SHA-256 of the signed hand-over that was made of it since.
ALTER TABLE installation ADD COLUMN closed_at timestamptz;
ALTER TABLE installation ADD COLUMN handed_over bytea;
