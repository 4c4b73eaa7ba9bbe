"""The average of blood pressure at home: two readings morning and evening, without the first day.

The protocol is that of the European Society of Hypertension (Stergiou et al., J Hypertens 2021;39:1293):
seven days, no fewer than three, two readings one to two minutes apart morning and evening, the first day
discarded, all others averaged. From 135/85 on, the average lies in the hypertensive range at home.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from msgspec import Struct

PartOfDay = Literal["morning", "evening"]
DAYS_ENOUGH: Final = 3
SYSTOLIC_LIMIT: Final = 135.0
DIASTOLIC_LIMIT: Final = 85.0
# One to two minutes, to the nearest minute.
_PAIR_MS: Final = (30_000, 150_000)
_NOON: Final = 12 * 60


class Reading(NamedTuple):
    """at: epoch ms; day and minute: in the sample's own zone; systolic and diastolic: mm[Hg]."""

    at: int
    day: date
    minute: int
    systolic: float
    diastolic: float
    ctx: str | None = None


class HomeAverage(Struct, frozen=True, kw_only=True):
    """days: that have readings; complete_days: with a pair of readings morning and evening; mornings and
    evenings: with a pair; discarded: readings of the first day; averaged: the others. hypertensive_range: the
    average is at or above 135 or 85, said only where it is sufficient."""

    sufficient: bool
    days: int
    complete_days: int
    mornings: int
    evenings: int
    discarded: int
    averaged: int
    first_day: date | None
    systolic: float | None
    diastolic: float | None
    hypertensive_range: bool | None


def home_average(readings: Iterable[Reading]) -> HomeAverage:
    """The average of the readings, in any order. Without a second day there is none."""
    ordered = sorted(readings)
    by_day: dict[date, list[Reading]] = defaultdict(list)
    for one in ordered:
        by_day[one.day].append(one)
    first = min(by_day, default=None)
    kept = [one for one in ordered if one.day != first]
    parts = _paired(ordered)
    complete = [day for day in by_day if {(day, "morning"), (day, "evening")} <= set(parts)]
    sufficient = len(complete) >= DAYS_ENOUGH
    systolic = mean([one.systolic for one in kept])
    diastolic = mean([one.diastolic for one in kept])
    return HomeAverage(
        sufficient=sufficient,
        days=len(by_day),
        complete_days=len(complete),
        mornings=sum(part == "morning" for _, part in parts),
        evenings=sum(part == "evening" for _, part in parts),
        discarded=len(ordered) - len(kept),
        averaged=len(kept),
        first_day=first,
        systolic=systolic,
        diastolic=diastolic,
        hypertensive_range=is_high(systolic, diastolic) if sufficient else None,
    )


def is_high(systolic: float | None, diastolic: float | None) -> bool:
    """Whether an average, as it is shown, lies in the hypertensive range at home."""
    return (systolic or 0) >= SYSTOLIC_LIMIT or (diastolic or 0) >= DIASTOLIC_LIMIT


def part_of(reading: Reading) -> PartOfDay:
    """What the person said it was, else before noon or after."""
    if reading.ctx in ("morning", "evening"):
        return "morning" if reading.ctx == "morning" else "evening"
    return "morning" if reading.minute < _NOON else "evening"


def _paired(ordered: Sequence[Reading]) -> list[tuple[date, PartOfDay]]:
    """The mornings and evenings that hold two readings one to two minutes apart."""
    parts: dict[tuple[date, PartOfDay], list[int]] = defaultdict(list)
    for one in ordered:
        parts[one.day, part_of(one)].append(one.at)
    return [part for part, times in parts.items() if _has_pair(times)]


def _has_pair(times: Sequence[int]) -> bool:
    return any(_PAIR_MS[0] <= second - first <= _PAIR_MS[1] for first, second in pairwise(times))


def mean(values: Sequence[float]) -> float | None:
    """To one decimal; None of nothing."""
    return round(sum(values) / len(values), 1) if values else None
