-- Which server wrote this database (SYSTEM/TIMELINE): a copy that comes back opens on another timeline.
ALTER TABLE installation ADD COLUMN server text;
