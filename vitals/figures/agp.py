"""The ambulatory glucose profile: how much of the time in, below and above range, and the usual day.

Ranges, goals and what makes a report sufficient are those of the international consensus on time in range
(Battelino et al., Diabetes Care 2019;42:1593); GMI is Bergenstal et al., Diabetes Care 2018;41:2275. Values
are whole mg/dL and limits are inclusive: 70 and 180 are in range.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from statistics import median_low, stdev
from typing import Final, Literal, NamedTuple, get_args

from msgspec import Struct

Group = Literal["standard", "older", "pregnancy"]
GROUPS: Final[tuple[Group, ...]] = get_args(Group)

DAYS_ENOUGH: Final = 14
SHARE_ENOUGH: Final = 0.70
SLOT_MINUTES: Final = 15
PERCENTILES: Final = (5, 25, 50, 75, 95)
# mg/dL in one mmol/L, as vitals.md converts.
MG_PER_MMOL: Final = 18.0156


class Reading(NamedTuple):
    """One reading. at: epoch ms; day and minute: in the sample's own zone; mg: whole mg/dL."""

    at: int
    day: date
    minute: int
    mg: int


class Limits(Struct, frozen=True):
    """Ranges in mg/dL, both ends in range, and the percent of the time that is aimed at; None: no goal."""

    low: int
    high: int
    very_low: int
    very_high: int | None
    in_range_min: float | None
    below_max: float | None
    cv_max: float | None = 36.0


# vitals.md, Charts. † : the goal for < 54 needs a medical source before it is judged by, so there is none.
LIMITS: Final[dict[Group, Limits]] = {
    "standard": Limits(70, 180, 54, 250, 70.0, 4.0),
    "older": Limits(70, 180, 54, 250, 50.0, 1.0),
    "pregnancy": Limits(63, 140, 54, None, None, None),
}


class Shares(Struct, frozen=True, kw_only=True):
    """Percent of the readings. below holds very_low, above holds very_high."""

    in_range: float
    below: float
    very_low: float
    above: float
    very_high: float | None


class Slot(Struct, frozen=True, kw_only=True):
    """One part of the day, from `minute` on: how many readings of all days, and their percentiles."""

    minute: int
    n: int
    p5: float
    p25: float
    p50: float
    p75: float
    p95: float


class Profile(Struct, frozen=True, kw_only=True):
    """days: from the first to the last day that has readings; coverage: percent of the readings that the
    window could hold; cv: percent; gmi: percent."""

    readings: int
    days: int
    coverage: float
    sufficient: bool
    mean: float | None
    sd: float | None
    cv: float | None
    gmi: float | None
    shares: Shares | None
    slots: list[Slot]


def profile(readings: Sequence[Reading], window_ms: int, limits: Limits) -> Profile:
    """The profile of readings in order of time. window_ms: how long the readings could have come for."""
    values = [one.mg for one in readings]
    days = (readings[-1].day - readings[0].day).days + 1 if readings else 0
    coverage = covered(readings, window_ms)
    mean = sum(values) / len(values) if values else None
    sd = deviation(values)
    return Profile(
        readings=len(readings),
        days=days,
        coverage=round(coverage * 100, 1),
        sufficient=is_sufficient(days, coverage),
        mean=_rounded(mean, 1),
        sd=_rounded(sd, 1),
        cv=_rounded(sd / mean * 100 if sd is not None and mean else None, 2),
        gmi=_rounded(gmi(mean) if mean is not None else None, 2),
        shares=shares_of(values, limits) if values else None,
        slots=slots_of(readings),
    )


def is_sufficient(days: int, coverage: float) -> bool:
    """Whether a profile may be judged by: at least 14 days, and 70 % of what they could hold."""
    return days >= DAYS_ENOUGH and coverage >= SHARE_ENOUGH


def covered(readings: Sequence[Reading], window_ms: int) -> float:
    """The share of the readings that a sensor of this pace could have given, at most 1."""
    pace = pace_ms(readings)
    if pace is None or window_ms <= 0:
        return 0.0
    return min(len(readings) * pace / window_ms, 1.0)


def pace_ms(readings: Sequence[Reading]) -> int | None:
    """The usual distance of two readings, to the minute: the middle one, so that gaps do not count."""
    gaps = [minutes for a, b in pairwise(readings) if (minutes := round((b.at - a.at) / 60_000))]
    return median_low(gaps) * 60_000 if gaps else None


def shares_of(values: Sequence[int], limits: Limits) -> Shares:
    """Percent of the readings in each range, to two decimals."""
    seen = Counter(values)

    def share(low: float, high: float) -> float:
        return round(100 * sum(n for mg, n in seen.items() if low <= mg <= high) / len(values), 2)

    inf = float("inf")
    return Shares(
        in_range=share(limits.low, limits.high),
        below=share(-inf, limits.low - 1),
        very_low=share(-inf, limits.very_low - 1),
        above=share(limits.high + 1, inf),
        very_high=None if limits.very_high is None else share(limits.very_high + 1, inf),
    )


def deviation(values: Sequence[float]) -> float | None:
    """The standard deviation of a sample (n - 1); None of fewer than two."""
    return stdev(values) if len(values) > 1 else None


def gmi(mean: float) -> float:
    """The glucose management indicator in percent, of a mean in mg/dL."""
    return 3.31 + 0.02392 * mean


def slots_of(readings: Iterable[Reading]) -> list[Slot]:
    """Percentiles by local time of day; a part of the day without a reading has no slot."""
    parts: dict[int, list[int]] = {}
    for one in readings:
        parts.setdefault(one.minute // SLOT_MINUTES * SLOT_MINUTES, []).append(one.mg)
    return [_slot(minute, sorted(parts[minute])) for minute in sorted(parts)]


def _slot(minute: int, ordered: Sequence[int]) -> Slot:
    p5, p25, p50, p75, p95 = (round(percentile(ordered, one), 1) for one in PERCENTILES)
    return Slot(minute=minute, n=len(ordered), p5=p5, p25=p25, p50=p50, p75=p75, p95=p95)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Between the two nearest ranks on a straight line (Hyndman and Fan 1996, type 7)."""
    at = (len(ordered) - 1) * percent / 100
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (at - below)


def whole_mg(mmol: float) -> int:
    """Whole mg/dL of mmol/L: what was sent in mg/dL comes back as it was."""
    return round(mmol * MG_PER_MMOL)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
