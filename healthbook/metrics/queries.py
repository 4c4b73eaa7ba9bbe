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


def slow_statements(order: str) -> str:
    """The statements of database $1 with the highest `order`, $2 of them; normalised by the server, so that
    no value stands in them. No constant, for the view is of a module that a test's database does not have."""
    return (
        "SELECT s.calls, s.total_exec_time / 1000 AS seconds, s.mean_exec_time AS mean_ms,"  # noqa: S608
        " s.max_exec_time AS max_ms, s.rows::float8 / s.calls AS rows_a_call, s.query"
        " FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid"
        f" WHERE d.datname = $1 AND s.calls > 0 ORDER BY s.{order} DESC LIMIT $2"
    )
