-- keeps_quiet: the push waits for the end of quiet hours, also when it comes late or goes again.
ALTER TABLE delivery ADD COLUMN keeps_quiet boolean NOT NULL DEFAULT false;

-- A device that names no language shows the person's. Made before the first release: no table in use waits.
-- squawk-ignore ban-drop-not-null
ALTER TABLE push_target ALTER COLUMN language DROP NOT NULL;
