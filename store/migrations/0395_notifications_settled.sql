-- What ended of late: an operator's look at a day reads that day, however long ends are kept.
-- Ends come nearly in the order of their time, so a few pages of this index find a day, and settling a country's
-- morning hardly touches it.
-- Made before the first release: no table in use waits.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX delivery_settled ON delivery USING brin (settled_at) WITH (pages_per_range = 32, autosummarize = on);
