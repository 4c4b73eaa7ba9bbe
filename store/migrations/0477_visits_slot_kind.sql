-- Slots of campaigns and of appointments lie in one table: a list of the day shows those of one kind. A place can be held
-- for minutes, until whoever asked for it says yes.
ALTER TABLE slot ADD COLUMN kind text NOT NULL DEFAULT 'campaign';
ALTER TABLE slot ADD CONSTRAINT slot_kind CHECK (kind IN ('campaign', 'appointment')) NOT VALID;
ALTER TABLE slot VALIDATE CONSTRAINT slot_kind;
ALTER TABLE slot_booking ADD COLUMN held_until timestamptz;
-- Made again in the next statement, with one state more.
-- squawk-ignore ban-drop-constraint
ALTER TABLE slot_booking DROP CONSTRAINT slot_booking_state;
ALTER TABLE slot_booking ADD CONSTRAINT slot_booking_state CHECK (state IN (
    'held', 'booked', 'waiting', 'attended', 'absent', 'cancelled', 'called-off', 'lapsed'
)) NOT VALID;
ALTER TABLE slot_booking VALIDATE CONSTRAINT slot_booking_state;
ALTER TABLE slot_booking ADD CONSTRAINT slot_booking_held CHECK (state <> 'held' OR held_until IS NOT NULL) NOT VALID;
ALTER TABLE slot_booking VALIDATE CONSTRAINT slot_booking_held;

-- What is over goes, and who had a place of it (security.md S30).
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX slot_age ON slot (kind, ends_at);
