-- An arrival at an emergency unit opens the way to break-glass (security.md S24); one that was a mistake is
-- withdrawn and stays as its own trail.
ALTER TABLE check_in ADD COLUMN unit_id uuid;

ALTER TABLE check_in ADD COLUMN withdrawn_at timestamptz;
