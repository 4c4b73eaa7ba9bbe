"""SQL that removes ended rows of the intake: at most $2 rows a statement, over all shards."""

from store.statement import Scalar

HOURLY = "once an hour a worker removes what has ended, wherever it lies"

DELETE_RECEIPTS = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT actor_id, receipt_id FROM ehr_receipt WHERE received_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM ehr_receipt WHERE actor_id IN (SELECT actor_id FROM old)"
    " AND receipt_id IN (SELECT receipt_id FROM old) RETURNING 1) SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
