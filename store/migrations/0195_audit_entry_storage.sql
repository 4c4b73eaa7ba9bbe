-- A row of a long answer holds hundreds of random ids, which pglz cannot make smaller: it tried for as long as
-- the rest of the append took, and the row lay there as large as before. Citus knows no SET STORAGE.
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')
THEN ALTER TABLE access_log ALTER COLUMN entry SET STORAGE EXTERNAL; END IF; END $$;
