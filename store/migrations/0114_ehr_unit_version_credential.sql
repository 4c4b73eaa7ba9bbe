-- By which credential the last version of a document came, and when: an import that is taken back takes its
-- version along, else one with a high number would keep every honest one out (security.md S3).
ALTER TABLE ehr_unit_version ADD COLUMN credential text NOT NULL DEFAULT '';

ALTER TABLE ehr_unit_version ADD COLUMN taken_at timestamptz NOT NULL DEFAULT '-infinity';
