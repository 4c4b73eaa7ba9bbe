-- What the filter of ehr/reads/queries.py looks at, beside the row so that no read needs another table.
-- `hidden_from`: whom the person hides the row from; NULL = nobody, the nil uuid = everybody else. It follows
-- from ehr_hiding and is made anew at every write.
-- `fold_key`: equal in rows of several senders that say the same of the same time; `twin` = such a row of another
-- source was there when it was looked for, so that reading looks for twins of these rows alone.
-- `has_marks`: the person hid or disputed something once, so a write has to look for what new rows inherit.
ALTER TABLE ehr_resource
    ADD COLUMN hidden_from uuid [],
    ADD COLUMN fold_key bytea,
    ADD COLUMN twin boolean NOT NULL DEFAULT false;

ALTER TABLE ehr_head ADD COLUMN has_marks boolean NOT NULL DEFAULT false;

-- Made before the first release: no table in use waits for it.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ehr_resource_by_fold ON ehr_resource (patient_id, fold_key) WHERE fold_key IS NOT NULL;
