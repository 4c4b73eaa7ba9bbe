-- Reminders of every kind. `source`: what a reminder came from, one reminder each (medication: `<prescription_id>:<line>`).
-- `every_days`: 2 is every other day. `weekdays`: 1 is Monday, empty is every day. `on_days`: where any are named, only
-- these. `phases`: stages of a dose that changes, as JSON; NULL where it stays the same.
ALTER TABLE reminder ADD COLUMN source text NOT NULL DEFAULT '';
ALTER TABLE reminder ADD COLUMN every_days int NOT NULL DEFAULT 1;
ALTER TABLE reminder ADD COLUMN weekdays int [] NOT NULL DEFAULT '{}';
ALTER TABLE reminder ADD COLUMN on_days date [] NOT NULL DEFAULT '{}';
ALTER TABLE reminder ADD COLUMN phases text;
ALTER TABLE reminder ADD CONSTRAINT reminder_every_days CHECK (every_days BETWEEN 1 AND 366);
-- Other kinds come from no prescription.
-- squawk-ignore ban-drop-not-null
ALTER TABLE reminder ALTER COLUMN prescription_id DROP NOT NULL;
-- squawk-ignore ban-drop-not-null
ALTER TABLE reminder ALTER COLUMN line DROP NOT NULL;
-- squawk-ignore ban-drop-constraint
ALTER TABLE reminder DROP CONSTRAINT reminder_kind;
ALTER TABLE reminder ADD CONSTRAINT reminder_kind CHECK (
    kind IN ('medication', 'revisit', 'exam', 'vaccination', 'measurement', 'nutrition', 'card', 'custom')
);
-- squawk-ignore ban-drop-constraint
ALTER TABLE reminder DROP CONSTRAINT reminder_end_reason;
ALTER TABLE reminder ADD CONSTRAINT reminder_end_reason CHECK (
    end_reason IN ('used-up', 'replaced', 'withdrawn', 'done', 'cancelled')
);
UPDATE reminder SET source = prescription_id::text || ':' || line::text WHERE source = '';
-- Every writer names it.
-- squawk-ignore ban-drop-default
ALTER TABLE reminder ALTER COLUMN source DROP DEFAULT;
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX reminder_source ON reminder (patient_id, kind, source);
