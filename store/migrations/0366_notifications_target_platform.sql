-- What a device runs, for what only one platform understands, and the language of its constant texts.
ALTER TABLE push_target ADD COLUMN platform text;

ALTER TABLE push_target ADD COLUMN language text NOT NULL DEFAULT 'vi';

-- Made before the first release: no table in use waits.
ALTER TABLE push_target ADD CONSTRAINT push_target_platform CHECK (platform IN ('android', 'ios'));

ALTER TABLE push_target ADD CONSTRAINT push_target_language CHECK (language IN ('vi', 'en'));
