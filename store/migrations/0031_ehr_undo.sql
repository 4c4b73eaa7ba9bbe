-- What putting an old version back needs besides its text: nothing of it can be made from the text alone.
ALTER TABLE ehr_history
    ADD COLUMN labels int NOT NULL DEFAULT 0,
    ADD COLUMN title text NOT NULL DEFAULT '',
    ADD COLUMN unit text,
    ADD COLUMN encounter_id text,
    ADD COLUMN main_id text,
    ADD COLUMN restores int;

-- Of a version that took others back: the version that it stands for, 0 where the row should not have been.
ALTER TABLE ehr_resource ADD COLUMN restores int;

-- The oldest reading view among the person's rows; 0 in rows of before: looked at once.
ALTER TABLE ehr_head ADD COLUMN item_version int NOT NULL DEFAULT 0;
