"""From stored readings to those a rule judges: without what two apps sent twice, without what moving
explains, and as changes per minute or averages of a week where the rule is about these. Pure."""

from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

from vitals.alerts.models import Rule
from vitals.alerts.policy import SECOND, Reading, is_outside
from vitals.figures import home_bp
from vitals.kinds import CTX_NUMBERS, KINDS

MINUTE: Final = 60 * SECOND
# One reading through two apps: equal, and no further apart (vitals.md, Dedupe 4).
SAME_US: Final = SECOND
# A change per minute is taken from two sensor values between these apart.
RATE_LEAST_US: Final = 4 * MINUTE
RATE_MOST_US: Final = 15 * MINUTE
# A high heart rate is explained by more steps a minute, unless the installation says others, and for so long
# after.
STEPS_A_MINUTE: Final = 100
AFTER_STEPS_US: Final = 10 * MINUTE
DAY: Final = timedelta(days=1)
WEEK_DAYS: Final = 7
_NEVER: Final = -(2**62)
_WORKOUT: Final = CTX_NUMBERS["workout"]
_PARTS: Final = {CTX_NUMBERS["morning"]: "morning", CTX_NUMBERS["evening"]: "evening"}
_SCALE: Final = KINDS["blood-pressure"].scale


class Stored(NamedTuple):
    """A reading with what the transforms ask of it. z: minutes from UTC."""

    reading: Reading
    z: int = 420
    ctx: int | None = None


class Steps(NamedTuple):
    """Steps of an interval, microseconds since 1970."""

    since: int
    until: int
    n: int


def judged(rule: Rule, stored: Sequence[Stored], moving: Sequence[tuple[int, int]] = ()) -> list[Reading]:
    """What a rule judges, in order. stored: of the rule's kind, in any order; moving: `moving_times`."""
    ordered = without_doubles(sorted(stored, key=lambda one: (one.reading.t, one.reading.id)))
    if rule.measure == "week-average":
        return averages(ordered)
    if rule.measure == "lasting":
        return lasting(rule, [one.reading for one in ordered])
    if rule.measure == "rate":
        return rates([one.reading for one in ordered if one.reading.is_sensor], rule.direction)
    if rule.kind == KINDS["heart-rate"].number and rule.direction > 0:
        ordered = [one for one in ordered if not _is_explained(one, moving)]
    return [one.reading for one in ordered]


def without_doubles(ordered: Iterable[Stored]) -> list[Stored]:
    """Without what a second source says again: one reading must not confirm itself."""
    kept = list[Stored]()
    # By value: when it was last read, by which source, and when by another one.
    last = dict[tuple[int, int | None], tuple[int, int, int]]()
    for one in ordered:
        reading = one.reading
        t, source, by_others = last.get((reading.v, reading.v2), (_NEVER, reading.source, _NEVER))
        elsewhere = by_others if source == reading.source else t
        if reading.t - elsewhere > SAME_US:
            last[reading.v, reading.v2] = (reading.t, reading.source, elsewhere)
            kept.append(one)
    return kept


def places_that_count(times: Sequence[int], splits: Sequence[int]) -> list[int]:
    """Of a series whose every value is clear of all limits, what a machine has to read to end where it would
    with all of it: between two of `splits` the first two, which close, and the last, by which it knows that
    something was read. times, splits: in order; a split is the first time of what comes after it."""
    inner = splits[bisect_right(splits, times[0]) : bisect_right(splits, times[-1])]
    if len(inner) * 2 > len(times):
        return list(range(len(times)))
    cuts = [0, *(bisect_left(times, split) for split in inner), len(times)]
    kept = set[int]()
    for start, end in pairwise(cuts):
        kept.update(range(start, min(start + 2, end)), range(max(end - 1, start), end))
    return sorted(kept)


def _is_explained(one: Stored, moving: Sequence[tuple[int, int]]) -> bool:
    if one.ctx == _WORKOUT:
        return True
    place = bisect_right(moving, one.reading.t, key=lambda span: span[0]) - 1
    return place >= 0 and one.reading.t <= moving[place][1]


def moving_times(steps: Iterable[Steps], a_minute: int = STEPS_A_MINUTE) -> list[tuple[int, int]]:
    """When somebody moves so much that a high heart rate says nothing, in order, none within another."""
    spans = list[tuple[int, int]]()
    for one in sorted(steps):
        if one.n * MINUTE <= a_minute * max(one.until - one.since, SECOND):
            continue
        until = one.until + AFTER_STEPS_US
        if spans and one.since <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], until))
        else:
            spans.append((one.since, until))
    return spans


def rates(readings: Iterable[Reading], direction: int) -> list[Reading]:
    """Changes per minute in a direction, stored integers: each against the nearest value that is long enough
    before and of the same sensor."""
    found, before, waiting = list[Reading](), dict[int, Reading](), defaultdict[int, deque[Reading]](deque)
    for one in readings:
        mine = waiting[one.source]
        while mine and one.t - mine[0].t >= RATE_LEAST_US:
            before[one.source] = mine.popleft()
        mine.append(one)
        first = before.get(one.source)
        if first is not None and one.t - first.t <= RATE_MOST_US:
            change = round((one.v - first.v) * direction * MINUTE / (one.t - first.t))
            found.append(one._replace(v=change))
    return found


def lasting(rule: Rule, readings: Iterable[Reading]) -> list[Reading]:
    """What is inside the limit, and of what is outside only what has lasted: for more than the rule's time
    since the first one outside, with none inside between and no two further apart than the rule lets them."""
    found, since, last = list[Reading](), _NEVER, _NEVER
    for one in readings:
        if not is_outside(rule, one.v, one.v2):
            since = _NEVER
            found.append(one)
            continue
        if since == _NEVER or one.t - last > rule.gap_s * SECOND:
            since = one.t
        last = one.t
        if one.t - since > rule.lasts_s * SECOND:
            found.append(one)
    return found


def averages(ordered: Iterable[Stored]) -> list[Reading]:
    """The home average of the seven days up to each day that has readings, at the day's last one; only where
    there is enough for one (vitals/figures/home_bp.py)."""
    last, by_day = dict[date, Stored](), defaultdict[date, list[home_bp.Reading]](list)
    for one in ordered:
        home = _at_home(one)
        last[home.day] = one
        by_day[home.day].append(home)
    found = list[Reading]()
    for day, stored in last.items():
        days = [day - n * DAY for n in range(WEEK_DAYS)]
        average = home_bp.home_average([home for one in days for home in by_day.get(one, ())])
        if average.sufficient and average.systolic is not None and average.diastolic is not None:
            v, v2 = round(average.systolic * _SCALE), round(average.diastolic * _SCALE)
            found.append(stored.reading._replace(v=v, v2=v2, is_spot=False))
    return sorted(found)


def _at_home(one: Stored) -> home_bp.Reading:
    local = datetime.fromtimestamp(one.reading.t / SECOND, UTC) + timedelta(minutes=one.z)
    part = _PARTS.get(one.ctx) if one.ctx is not None else None
    return home_bp.Reading(
        at=one.reading.t // 1000,
        day=local.date(),
        minute=local.hour * 60 + local.minute,
        systolic=one.reading.v / _SCALE,
        diastolic=(one.reading.v2 or 0) / _SCALE,
        ctx=part,
    )


def source_is_spot(kind: str, method: str) -> bool:
    """Whether a source measures once and is asked for again."""
    return method == "manual" or kind in ("cuff", "meter", "thermometer", "manual")
