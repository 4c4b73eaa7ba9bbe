"""Counting a month once it is over, and the file that is made of it.

The counts come from the log itself, after the month, some people a step: a counter in each read's
transaction would be one more contended row on the hottest path, and could differ from the log. No person and
nobody's name is kept.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Final, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct

from audit.accountability import queries
from audit.accountability.models import Line
from kernel.clock import local_day, start_of_day
from store.database import Tx

Cell: TypeAlias = str | int | Decimal | None

LINES_MAX: Final = 50_000
HEADINGS: Final = (
    "facility_id", "practitioner_id", "name", "role", "requests", "reads", "people", "grants", "emergencies",
    "emergency_reads", "refusals", "people_in_an_hour", "reads_out_of_hours", "look_at",
)  # fmt: skip


class Hours(Struct, frozen=True):
    """Clock hours in Vietnam; `from_` in the evening, `until` in the morning."""

    from_: int = msgspec.field(name="from")
    until: int


class Patterns(Struct, frozen=True):
    out_of_hours: Hours
    thresholds: dict[str, int]


async def count_some(tx: Tx, now: datetime, people: int) -> bool:
    """Count so many people's rows into the oldest month that is over and not counted; what breaks off goes on
    where it was. False when every month stands."""
    if await queries.FORGET_HOURS.one(tx, people):
        return True
    month = await _next_month(tx, now)
    if month is None:
        return False
    await queries.BEGIN_RUN.run(tx, month, UUID(int=0))
    after = await queries.COUNTED_UP_TO.one(tx, month)
    page = await queries.PEOPLE_AFTER.all(tx, after, people)
    span = start_of_day(month), start_of_day(_following(month))
    hours = patterns().out_of_hours
    await queries.COUNT.run(tx, page, *span, month, hours.from_, hours.until)
    await queries.COUNT_HOURS.run(tx, page, *span, month)
    if len(page) == people:
        await queries.ADVANCE_RUN.run(tx, month, page[-1])
    else:
        await queries.END_RUN.run(tx, month)
        await queries.MARK_COUNTED.run(tx, month, now)
    return True


async def _next_month(tx: Tx, now: datetime) -> date | None:
    """The oldest month since the log's first row that is over and does not stand."""
    first = await queries.FIRST_AT.one(tx)
    if first is None:
        return None
    month, counted = local_day(first).replace(day=1), set(await queries.COUNTED_MONTHS.all(tx))
    while month in counted:
        month = _following(month)
    return month if month < local_day(now).replace(day=1) else None


def _following(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


async def lines_of(tx: Tx, month: date, facility_id: UUID | None) -> list[Line] | None:
    """The lines of one facility, or of all; None where the month is not counted."""
    if await queries.IS_COUNTED.one(tx, month) is None:
        return None
    if facility_id is None:
        return await queries.ALL_LINES.all(tx, month, LINES_MAX)
    return await queries.LINES.all(tx, facility_id, month, LINES_MAX)


async def thresholds(tx: Tx) -> dict[str, int]:
    """The program's own, with what the operator set."""
    own = {row.name: row.value for row in await queries.THRESHOLDS.all(tx)}
    known = patterns().thresholds
    return known | {name: value for name, value in own.items() if name in known}


async def set_threshold(tx: Tx, name: str, value: int) -> None:
    await queries.SET_THRESHOLD.run(tx, name, value)


def table(lines: list[Line], names: Mapping[UUID, str], limits: Mapping[str, int]) -> list[list[Cell]]:
    """The file's rows, headings first. look_at: which patterns a line reaches."""
    return [list(HEADINGS), *([*_cells(line, names), " ".join(patterns_of(line, limits))] for line in lines)]


def patterns_of(line: Line, limits: Mapping[str, int]) -> list[str]:
    """Names of the patterns whose threshold the line reaches."""
    values = {
        "people-in-an-hour": line.people_in_an_hour,
        "reads-out-of-hours": line.reads_out_of_hours,
        "refusals": line.refusals,
        "emergencies": line.emergencies,
    }
    return [name for name, limit in sorted(limits.items()) if values[name] >= limit]


def _cells(line: Line, names: Mapping[UUID, str]) -> list[Cell]:
    who = names.get(line.practitioner_id, "")
    ids: list[Cell] = [str(line.facility_id), str(line.practitioner_id), who, line.role]
    return ids + [getattr(line, name) for name in HEADINGS[4:-1]]


@cache
def patterns() -> Patterns:
    raw = files("audit.accountability").joinpath("patterns.json").read_bytes()
    return msgspec.json.decode(raw, type=Patterns)
