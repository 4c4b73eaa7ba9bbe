-- How a person's rule judges and when it speaks, where that is not as the default set has it (NULL: as that has it).
-- hysteresis: canonical unit. stale_after_s: who is to hear when a device that measures all the time gives nothing for so
-- long. quiet_from, quiet_until: wall times, HH:MM, in which its warnings wait.
ALTER TABLE alert_rule
    ADD COLUMN hysteresis float8,
    ADD COLUMN confirm_n smallint,
    ADD COLUMN confirm_s int,
    ADD COLUMN cooldown_s int,
    ADD COLUMN stale_after_s int,
    ADD COLUMN quiet_from text,
    ADD COLUMN quiet_until text;
-- What an alert is about: single readings, a week, a rate, how long something lasts, or that nothing comes any more.
ALTER TABLE alert ADD COLUMN measure text NOT NULL DEFAULT 'reading';
