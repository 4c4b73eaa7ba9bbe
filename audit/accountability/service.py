"""Counting a month once it is over, and the file that is made of it.

The counts come from the log itself, in the night after the month: a counter in each read's transaction would
be one more contended row on the hottest path, and could differ from the log. No person and nobody's name is
kept.
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


async def count_last_month(tx: Tx, now: datetime) -> bool:
    """Count the month before today's, unless that was done. True if it was counted now."""
    month = (local_day(now).replace(day=1) - timedelta(days=1)).replace(day=1)
    if await queries.TAKE_MONTH.one(tx, month, now) is None:
        return False
    following = (month + timedelta(days=31)).replace(day=1)
    hours = patterns().out_of_hours
    await queries.COUNT.run(tx, start_of_day(month), start_of_day(following), month, hours.from_, hours.until)
    return True


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
