"""All SQL of counters."""

from typing import Final
from uuid import UUID

from store.statement import Scalar, Statement
from visits.counters.models import Counter

_COUNTER: Final = ", ".join(Counter.__struct_fields__)

# Nothing where an open one has the code.
INSERT_COUNTER = Statement(
    Counter,
    f"""
    INSERT INTO counter ({_COUNTER}) VALUES ($1, $2, $3, $4, $5, $6, NULL)
    ON CONFLICT DO NOTHING RETURNING {_COUNTER}
    """,  # noqa: S608 - a constant of ours
)
COUNTER_BY_ID = Statement(
    Counter,
    f"SELECT {_COUNTER} FROM counter"  # noqa: S608 - a constant of ours
    " WHERE facility_id = $1 AND counter_id = $2 AND closed_at IS NULL",
)
COUNTER_BY_CODE = Statement(
    Counter,
    f"SELECT {_COUNTER} FROM counter"  # noqa: S608 - a constant of ours
    " WHERE facility_id = $1 AND code = $2 AND closed_at IS NULL",
)
OPEN_COUNTERS = Statement(
    Counter,
    f"SELECT {_COUNTER} FROM counter"  # noqa: S608 - a constant of ours
    " WHERE facility_id = $1 AND closed_at IS NULL ORDER BY code LIMIT $2",
)
COUNT_OPEN = Scalar(
    int, "SELECT count(*)::int AS open FROM counter WHERE facility_id = $1 AND closed_at IS NULL"
)
CLOSE_COUNTER = Scalar(
    UUID,
    "UPDATE counter SET closed_at = $3 WHERE facility_id = $1 AND counter_id = $2 AND closed_at IS NULL"
    " RETURNING counter_id",
)
