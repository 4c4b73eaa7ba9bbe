-- samples_until: before it single readings were taken out, as archived_until says of series: hours of a kind without
-- series know the first alone. archived_day: sums of days before it are one row each (vitals/retention).
ALTER TABLE vital_head ADD COLUMN samples_until timestamptz;
ALTER TABLE vital_head ADD COLUMN archived_day date;
