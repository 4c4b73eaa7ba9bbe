"""The same test done at another facility in the last days: so that it need not be done again."""

from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from ehr.models import DoneElsewhere
from ehr.reads import queries
from ehr.reads.queries import SummaryRow
from ehr.reads.scope import scope_of
from kernel.access import Access
from store.database import Tx

ELSEWHERE_DAYS = 30


class Found(Struct, frozen=True):
    """What was done elsewhere, by the id of the summary's own row of that test; and the rows it is from."""

    by_row: dict[str, DoneElsewhere]
    shown: list[tuple[str, str]]


class _Result(Struct, frozen=True):
    title: str
    code: str | None = None
    code_system: str | None = None
    date: str | None = None
    value: str | None = None
    unit: str | None = None
    facility_name: str | None = None


_result = msgspec.json.Decoder(_Result).decode


async def find(tx: Tx, access: Access, rows: list[SummaryRow], days: int, now: datetime) -> Found:
    """For staff of a facility, each shown test with the newest result of another one; one statement."""
    facility_id = access.actor.facility_id
    if access.actor.kind != "practitioner" or facility_id is None or not rows or not days:
        return Found({}, [])
    since = now - timedelta(days=days)
    others = await queries.ELSEWHERE.all(tx, *scope_of(access, now), since, facility_id)
    newest: dict[tuple[str | None, str], tuple[str, str, str]] = {}
    for other in others:
        newest.setdefault((other.code_system, other.code), (other.rtype, other.id, other.item))
    found: dict[str, DoneElsewhere] = {}
    shown = []
    for row in rows if newest else []:
        mine = _result(row.item)
        other_row = newest.get((mine.code_system, mine.code or ""))
        if other_row is not None:
            found[row.id] = _told(_result(other_row[2]))
            shown.append(other_row[:2])
    return Found(found, shown)


def _told(result: _Result) -> DoneElsewhere:
    return DoneElsewhere(
        facility_name=result.facility_name, date=result.date, value=result.value, unit=result.unit
    )
