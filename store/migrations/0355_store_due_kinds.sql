-- What is due or comes next, whatever bucket it lies in: each armed reminder has a row here, and a worker that looks
-- must not pass all of them by.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX due_queue_next ON due_queue (due_at, bucket, kind);
