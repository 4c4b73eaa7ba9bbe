"""SQL of what is shown of an installation's state: counts and times, no row of anybody."""

from healthbook.metrics.models import Connections, Outbox
from store.statement import Scalar, Statement

OUTBOX = Statement(
    Outbox,
    "SELECT count(*) FILTER (WHERE available_at <= $1) AS waiting,"
    " min(available_at) FILTER (WHERE available_at <= $1) AS oldest,"
    " count(*) FILTER (WHERE attempts >= $2) AS set_aside FROM outbox",
    fan_out="every 15 seconds a worker looks how long the queue is; it is empty within a second as a rule",
)
JOURNAL_LINES = Scalar(int, "SELECT count(*) FROM journal_line")
# What other sessions do is none of our business; that they are there everybody sees.
CONNECTIONS = Statement(
    Connections,
    "SELECT count(*) AS used, current_setting('max_connections')::integer AS most,"
    " clock_timestamp() AS at FROM pg_stat_activity WHERE backend_type = 'client backend'",
)
