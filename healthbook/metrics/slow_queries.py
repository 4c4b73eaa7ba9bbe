"""`healthbook slow-queries`: which statements take the time, as pg_stat_statements counts them.

The server's log tells of no statement, since it would tell of its values (security.md S22); these texts hold
`$1` in their place.
"""

from collections.abc import Sequence
from itertools import starmap
from typing import Final, Literal
from urllib.parse import urlsplit

import asyncpg
import msgspec

from healthbook.metrics.models import SlowStatement
from healthbook.metrics.queries import slow_statements
from healthbook.wiring import Place, StartError
from store.postgres import DATABASE, STATISTICS_DATABASE

Order = Literal["total", "mean", "max", "calls"]
ORDERS: Final[dict[Order, str]] = {
    "total": "total_exec_time",
    "mean": "mean_exec_time",
    "max": "max_exec_time",
    "calls": "calls",
}
# What says that there is no such view here, or that it is not for this role.
_ABSENT: Final = (
    asyncpg.UndefinedTableError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InvalidCatalogNameError,
)


async def slow_text(place: Place, order: Order, limit: int, *, as_json: bool) -> str:
    """The statements of this installation's database. Raises StartError where the server does not count."""
    for dsn, database in _ways(place):
        try:
            found = await _read(dsn, database, order, limit)
        except _ABSENT:
            continue
        return msgspec.json.encode(found).decode() if as_json else "\n".join(_lines(found))
    raise StartError(
        "The server does not count statements for us. It needs pg_stat_statements in "
        "shared_preload_libraries, and as superuser: CREATE EXTENSION pg_stat_statements; "
        "GRANT pg_read_all_stats TO hb_owner."
    )


def _ways(place: Place) -> list[tuple[str, str]]:
    """Where the view may be, and which database's statements are asked for."""
    if place.server is not None:
        return [(place.server.dsn("hb_owner", STATISTICS_DATABASE), DATABASE)]
    dsn = place.dsn("hb_owner")
    parts = urlsplit(dsn)
    database = parts.path.lstrip("/")
    return [(dsn, database), (parts._replace(path=f"/{STATISTICS_DATABASE}").geturl(), database)]


async def _read(dsn: str, database: str, order: Order, limit: int) -> list[SlowStatement]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(slow_statements(ORDERS[order]), database, limit)
        return list(starmap(SlowStatement, rows))
    finally:
        await connection.close()


def _lines(found: Sequence[SlowStatement]) -> list[str]:
    lines = [f"{'calls':>10}{'seconds':>11}{'mean ms':>10}{'max ms':>10}{'rows':>8}  statement"]
    for one in found:
        text = " ".join(one.query.split())
        lines.append(
            f"{one.calls:>10}{one.seconds:>11.1f}{one.mean_ms:>10.2f}{one.max_ms:>10.1f}"
            f"{one.rows_a_call:>8.1f}  {text}"
        )
    return lines if found else ["Nothing was counted yet."]
