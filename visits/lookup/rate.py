"""How many look-ups found somebody: exact for the facility, rounded for the health department (S30).

The department gets whole months that are over, each cell rounded to five by itself and totals of rounded
cells: months do not overlap, so nothing falls out of subtracting one answer from another.
"""

from collections.abc import Iterable
from datetime import date, datetime
from itertools import groupby
from typing import Final
from uuid import UUID

from msgspec import Struct

from kernel.clock import add_months, local_day
from kernel.rounding import BASE, rounded
from store.database import Tx
from visits.lookup import queries
from visits.lookup.models import Counted, LookUpKind, Outcome

# Half of the step: to the nearest multiple, and fewer than three are none.
_NEAREST: Final = BASE // 2
_ENDS: tuple[Outcome, ...] = ("found", "bad-form", "unknown", "too-many")


class Rate(Struct, kw_only=True, frozen=True):
    """asked: look-ups; found: those that led to somebody; per_mille: found of a thousand asked, null where
    none was. failed: the others by their reason. matched, differs, used_up: tries of one more fact, none of
    asked."""

    asked: int
    found: int
    per_mille: int | None
    failed: dict[str, int]
    matched: int
    differs: int
    used_up: int


class FacilityRate(Struct, kw_only=True, frozen=True):
    facility_id: UUID
    facility_name: str
    rate: Rate


class OwnRate(Struct, kw_only=True, frozen=True):
    """A month of one facility. by_kind: by what was typed."""

    month: str
    all: Rate
    by_kind: dict[LookUpKind, Rate]


async def note(tx: Tx, facility_id: UUID, kind: LookUpKind, outcome: Counted, now: datetime) -> None:
    """Count one more, on the day of Vietnam."""
    await queries.COUNT.run(tx, facility_id, local_day(now), kind, outcome)


async def of_facility(tx: Tx, facility_id: UUID, first: date) -> OwnRate:
    """The month that begins with `first`, exact; also while it runs."""
    rows = await queries.OF_FACILITY.all(tx, facility_id, first, add_months(first, 1))
    kinds = {kind: list(some) for kind, some in groupby(rows, key=lambda row: row.kind)}
    return OwnRate(
        month=f"{first:%Y-%m}",
        all=rate_of((row.outcome, row.times) for row in rows),
        by_kind={kind: rate_of((r.outcome, r.times) for r in some) for kind, some in kinds.items()},
    )


async def of_all(tx: Tx, first: date, after: UUID, limit: int) -> list[FacilityRate]:
    """A page of facilities that looked anybody up in a month that is over, by their id; rounded."""
    rows = await queries.OF_ALL.all(tx, first, add_months(first, 1), after, limit)
    return [
        FacilityRate(
            facility_id=facility_id,
            facility_name=name,
            rate=rate_of((row.outcome, rounded(row.times, _NEAREST)) for row in some),
        )
        for (facility_id, name), some in groupby(rows, key=lambda row: (row.facility_id, row.facility_name))
    ]


async def housekeeping(tx: Tx, before: datetime, limit: int) -> int:
    """Remove counts of days before that time, at most `limit`."""
    return await queries.DELETE_OLD.one(tx, before, limit) or 0


def rate_of(cells: Iterable[tuple[Counted, int]]) -> Rate:
    """The rate of counted cells; an outcome can stand in several."""
    times: dict[str, int] = {}
    for outcome, count in cells:
        times[outcome] = times.get(outcome, 0) + count
    asked = sum(times.get(end, 0) for end in _ENDS)
    found = times.get("found", 0)
    return Rate(
        asked=asked,
        found=found,
        per_mille=1000 * found // asked if asked else None,
        failed={end: times[end] for end in _ENDS if end != "found" and times.get(end)},
        matched=times.get("matched", 0),
        differs=times.get("differs", 0),
        used_up=times.get("used-up", 0),
    )
