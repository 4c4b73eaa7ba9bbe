"""Points summed by source, hour and local day. Sums are of integers: exact, and the same in any order."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from typing import Final, NamedTuple
from uuid import UUID

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = EPOCH.date().toordinal()
_MICROSECOND: Final = timedelta(microseconds=1)
_HOUR: Final = 3_600_000_000
_MINUTE: Final = 60_000_000
_DAY: Final = 24 * _HOUR


class HourKey(NamedTuple):
    """A row of vital_hour. An interval counts in the hour of its start; day: local, by the z of the point."""

    kind: int
    h: datetime
    day: date
    source_id: int


class Point(NamedTuple):
    """One value at its time, with the item it comes from. Points are in order by (t, v, id)."""

    t: datetime
    v: int
    id: UUID
    v2: int | None
    kind: int
    source_id: int
    z: int


class Sums(NamedTuple):
    """What the points of one hour come to. last: the newest, the tie broken by value and id."""

    n: int
    v_min: int
    v_max: int
    v_sum: int
    first_t: datetime
    first_v: int
    last: Point
    v2_min: int | None
    v2_max: int | None
    v2_sum: int | None


_ORDER: Final = itemgetter(0, 1, 2)
_VALUE: Final = itemgetter(1)
_SECOND: Final = itemgetter(3)


def microseconds(t: datetime) -> int:
    """Since 1970, exact."""
    return (t - EPOCH) // _MICROSECOND


def by_hour(points: Iterable[Point]) -> dict[HourKey, Sums]:
    """Single points, summed."""
    groups: dict[tuple[int, int, int, int], list[Point]] = {}
    for point in points:
        at = (point[0] - EPOCH) // _MICROSECOND
        key = point[4], at // _HOUR, (at + point[6] * _MINUTE) // _DAY, point[5]
        group = groups.get(key)
        if group is None:
            groups[key] = [point]
        else:
            group.append(point)
    return {_key(*key): _sums(group) for key, group in groups.items()}


def _key(kind: int, hour: int, day: int, source_id: int) -> HourKey:
    return HourKey(kind, EPOCH + timedelta(hours=hour), date.fromordinal(_EPOCH_DAY + day), source_id)


def _sums(points: list[Point]) -> Sums:
    values = list(map(_VALUE, points))
    first = last = points[0]
    if len(points) > 1:
        first, last = min(points, key=_ORDER), max(points, key=_ORDER)
    seconds = [v2 for v2 in map(_SECOND, points) if v2 is not None]
    return Sums(
        len(values),
        min(values),
        max(values),
        sum(values),
        first.t,
        first.v,
        last,
        min(seconds) if seconds else None,
        max(seconds) if seconds else None,
        sum(seconds) if seconds else None,
    )


def series_by_hour(
    ident: UUID,
    t0: datetime,
    offsets: Sequence[int],
    values: "Sequence[int]",
    kind: int,
    source_id: int,
    z: int,
) -> dict[HourKey, Sums]:
    """The points of one series, summed. offsets: ms after t0, never falling."""
    found: dict[HourKey, Sums] = {}
    start, begin, n = microseconds(t0), 0, len(values)
    while begin < n:
        at = start + offsets[begin] * 1000
        local = at + z * _MINUTE
        # The hour ends, or the local day does where a zone is no whole number of hours.
        left = min(_HOUR - at % _HOUR, _DAY - local % _DAY)
        stop = -((start - at - left) // 1000)
        end = n if offsets[n - 1] < stop else bisect_left(offsets, stop, begin)
        key = _key(kind, at // _HOUR, local // _DAY, source_id)
        part = _part(ident, t0, offsets[begin:end], values[begin:end], kind, source_id, z)
        before = found.get(key)
        found[key] = part if before is None else merged(before, part)
        begin = end
    return found


def _part(
    ident: UUID,
    t0: datetime,
    offsets: Sequence[int],
    values: Sequence[int],
    kind: int,
    source_id: int,
    z: int,
) -> Sums:
    n = len(values)
    first, last = values[0], values[-1]
    if n > 1 and offsets[0] == offsets[1]:
        first = min(v for v, at in zip(values, offsets, strict=True) if at == offsets[0])
    if n > 1 and offsets[-1] == offsets[-2]:
        last = max(v for v, at in zip(values, offsets, strict=True) if at == offsets[-1])
    newest = Point(t0 + timedelta(milliseconds=offsets[-1]), last, ident, None, kind, source_id, z)
    first_t = t0 + timedelta(milliseconds=offsets[0])
    return Sums(n, min(values), max(values), sum(values), first_t, first, newest, None, None, None)


def merged(one: Sums, other: Sums) -> Sums:
    """What both come to."""
    first_t, first_v = min((one.first_t, one.first_v), (other.first_t, other.first_v))
    return Sums(
        one.n + other.n,
        min(one.v_min, other.v_min),
        max(one.v_max, other.v_max),
        one.v_sum + other.v_sum,
        first_t,
        first_v,
        max(one.last, other.last, key=_ORDER),
        _both(min, one.v2_min, other.v2_min),
        _both(max, one.v2_max, other.v2_max),
        _both(sum, one.v2_sum, other.v2_sum),
    )


def _both(how: Callable[[list[int]], int], one: int | None, other: int | None) -> int | None:
    present = [number for number in (one, other) if number is not None]
    return how(present) if present else None


def add(total: dict[HourKey, Sums], more: Mapping[HourKey, Sums]) -> None:
    """Put what came into the sums so far."""
    for key, sums in more.items():
        before = total.get(key)
        total[key] = sums if before is None else merged(before, sums)
