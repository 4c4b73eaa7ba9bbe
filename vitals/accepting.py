"""The gate: which items of a batch are taken, as what whole numbers, and why the others are not. Pure.

Times are kept as sent. By how much the phone's clock is off is used for two questions only: does an item lie
in the future, and (in alerts) how old is it. Nothing in a batch is later than its `sent_at`, whatever clock
that is of; how old it is, is another matter, since a batch may have waited (`clock_of`).
"""

from array import array
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from operator import sub
from typing import Final, NamedTuple, TypeVar

from vitals.decoding import Decoded
from vitals.kinds import BY_WIRE, CTX_NUMBERS, UNIT_NUMBERS, Kind, kind_of
from vitals.models import (
    CLOCK_OFFSET_MAX_MS,
    FLAG_CLOCK,
    Accepted,
    Deleted,
    SampleRow,
    SeriesRow,
    WindowRow,
)
from vitals.units import TIE, Conversion, scaled
from vitals.wire import Code, Part, PointsDropped, Rejected, Sample, Series, Source, Window

FUTURE: Final = timedelta(minutes=5)
# Further off than this it is no clock that goes wrong: what it says is not reckoned with.
OFFSET_MAX: Final = timedelta(days=1)
INTERVAL_MAX: Final = timedelta(days=1)
SERIES_SPAN_MAX_MS: Final = 7 * 24 * 3600 * 1000
WINDOW_MAX: Final = timedelta(days=7)
SERIES_DAYS: Final = 400
EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)
DEFAULT_ZONE: Final = 420
_ZONE_MAX: Final = timedelta(hours=14)
_MILLISECOND: Final = timedelta(milliseconds=1)
# A stage is told in whole minutes or to the second.
_SLEEP_SECONDS_OFF: Final = 60


Item = TypeVar("Item", Sample, Series)
Row = TypeVar("Row", SampleRow, SeriesRow)


class Plan(NamedTuple):
    """What to do with values of one kind, context and unit. low, high: plausible, as stored."""

    kind: Kind
    how: Conversion
    low: int
    high: int
    ctx: int | None
    unit: int


def _plans() -> dict[tuple[str, str | None, str], Plan]:
    """All there are: few enough to make them once."""
    found: dict[tuple[str, str | None, str], Plan] = {}
    for wire, kinds in BY_WIRE.items():
        for ctx in {None, *(ctx for kind in kinds for ctx in kind.contexts)}:
            kind = kind_of(wire, ctx)
            for unit, how in kind.accepted.items() if kind else ():
                assert kind is not None
                number = None if ctx is None else CTX_NUMBERS[ctx]
                found[wire, ctx, unit] = Plan(kind, how, *kind.bounds, number, UNIT_NUMBERS[unit])
    return found


PLANS: Final = _plans()


def accept(
    batch: Decoded,
    birth: date | None,
    now: datetime,
    received: datetime,
    *,
    series_days: int = SERIES_DAYS,
    clock: timedelta | None = None,
) -> Accepted:
    """Put every item through the gate.

    birth: the earliest day the person can have been born; None: not known. received: when the batch came, by
    the clock of `now`. series_days: how long series are kept. clock: `clock_of`, where more is known than the
    batch says.
    """
    clock = clock_of(received, batch.sent_at) if clock is None else clock
    gate = _Gate(batch, birth, now, received, series_days, clock)
    return Accepted(
        device=batch.device,
        seq=batch.seq,
        sent_at=batch.sent_at,
        sha256=batch.sha256,
        sources=gate.sources,
        samples=gate.through("samples", batch.samples, gate.sample),
        series=gate.through("series", batch.series, gate.series),
        deleted=[Deleted(one.id, one.ver, i) for i, one in enumerate(batch.deleted) if one is not None],
        windows=_windows(batch.windows, gate.rejected),
        cursors={name: one.cursor for name, one in batch.streams.items()},
        rejected=gate.rejected,
        points_dropped=gate.points_dropped,
        clock_offset_ms=clock // _MILLISECOND,
    )


def waited(received: datetime, sent_at: datetime) -> bool:
    """Whether a batch may have waited: it was made longer ago than a right clock leaves open."""
    return received - sent_at > CLOCK_OFFSET_MAX_MS * _MILLISECOND


def clock_of(
    received: datetime, sent_at: datetime, said_at: datetime | None = None, before: timedelta | None = None
) -> timedelta:
    """By how much the phone's clock is behind.

    sent_at: of the batch, which says it again in every repeat; said_at: the phone's clock when it sent this
    very request; before: what its clock was behind with an earlier batch. Without said_at a batch that seems
    old may have waited in a phone without a network: then its clock is taken to be as far behind as it was
    before, and right where nothing is known of it. Late data would alarm otherwise (vitals.md, Late data).
    """
    if said_at is not None:
        return _bounded(received - said_at)
    if not waited(received, sent_at):
        return _bounded(received - sent_at)
    return min(_bounded(received - sent_at), max(before or timedelta(), timedelta()))


def _bounded(offset: timedelta) -> timedelta:
    return min(max(offset, -OFFSET_MAX), OFFSET_MAX)


def earliest_birth(birth_date: str | None) -> date | None:
    """The first day that a FHIR partial date leaves open."""
    if birth_date is None:
        return None
    return date.fromisoformat("-".join([*birth_date.split("-"), "01", "01"][:3]))


class _Gate:
    """What is the same for every item of one batch."""

    def __init__(
        self,
        batch: Decoded,
        birth: date | None,
        now: datetime,
        received: datetime,
        series_days: int,
        clock: timedelta,
    ) -> None:
        self.rejected = list(batch.rejected)
        self.points_dropped: list[PointsDropped] = []
        self.sources, self._places = _places(batch.sources)
        self._newest = now + FUTURE - _bounded(received - batch.sent_at)
        self._series_from = now - timedelta(days=series_days)
        self._born = EARLIEST if birth is None else max(EARLIEST, datetime.combine(birth, time(), UTC))
        self._surely_born = self._born + _ZONE_MAX
        self._flags = FLAG_CLOCK if abs(clock) > CLOCK_OFFSET_MAX_MS * _MILLISECOND else 0

    def through(
        self, part: Part, items: Sequence[Item | None], gate: Callable[[int, Item], Row | Code]
    ) -> list[Row]:
        """The rows of the items that are taken; of the others the reason is noted."""
        rows: list[Row] = []
        for i, item in enumerate(items):
            if item is None:
                continue
            row = gate(i, item)
            if isinstance(row, str):
                self.rejected.append(Rejected(of=part, i=i, code=row, id=item.id))
            else:
                rows.append(row)
        return rows

    def sample(self, i: int, item: Sample) -> SampleRow | Code:
        plan = PLANS.get((item.k, item.ctx, item.u))
        if plan is None:
            return _why_no_plan(item)
        end = item.end
        fault = (
            self._source_fault(item.s)
            or _interval_fault(plan.kind, item.t, end)
            or self._time_fault(item.t, item.t if end is None else end, item.z)
        )
        if fault is not None:
            return fault
        value = scaled(plan.how, item.v)
        if value is None or not plan.low <= value <= plan.high:
            return "implausible"
        second = None if plan.kind.low2 is None else _second(plan, item.v2, value)
        if isinstance(second, str):
            return second
        if plan.kind.wire == "sleep" and not _is_length(item, value):
            return "interval-invalid"
        return SampleRow(
            item.id,
            item.ver,
            _utc(item.t),
            None if end is None else _utc(end),
            value,
            second,
            plan.kind.number,
            self._places[item.s],
            DEFAULT_ZONE if item.z is None else item.z,
            plan.ctx,
            plan.unit,
            self._flags,
            i,
        )

    def series(self, i: int, item: Series) -> SeriesRow | Code:
        plan = PLANS.get((item.k, item.ctx, item.u))
        if plan is None or not plan.kind.is_series:
            return _why_no_plan(item) if plan is None else "series-not-allowed"
        times = _times(item)
        if times is None:
            return "series-shape"
        fault = self._source_fault(item.s) or self._time_fault(item.t0, item.t0, item.z)
        if fault is not None:
            return fault
        offsets, last_ms = times
        last = item.t0 + last_ms * _MILLISECOND
        if last > self._newest:
            return "future"
        return "too-old" if last < self._series_from else self._points(i, item, plan, offsets)

    def _points(self, i: int, item: Series, plan: Plan, offsets: "array[int] | None") -> SeriesRow | Code:
        values, kept = plausible(plan, item.v)
        if not values:
            return "implausible"
        t0, step = _utc(item.t0), item.step_ms
        if kept is not None:
            self.points_dropped.append(PointsDropped(i=i, id=item.id, n=len(item.v) - len(kept)))
            t0, offsets = _thinned(t0, step, offsets, kept)
            step = None
        return SeriesRow(
            item.id,
            item.ver,
            t0,
            step,
            offsets,
            values,
            plan.kind.number,
            self._places[item.s],
            DEFAULT_ZONE if item.z is None else item.z,
            plan.ctx,
            plan.unit,
            self._flags,
            i,
        )

    def _source_fault(self, place: int) -> Code | None:
        return "source-index" if self._places.get(place) is None else None

    def _time_fault(self, first: datetime, last: datetime, z: int | None) -> Code | None:
        if last > self._newest or first > self._newest:
            return "future"
        if first >= self._surely_born:
            return None
        zone = timedelta(minutes=DEFAULT_ZONE if z is None else z)
        return "too-old" if first < EARLIEST or first + zone < self._born else None


def plausible(plan: Plan, sent: Sequence[float]) -> "tuple[array[int], list[int] | None]":
    """The plausible points as stored, and the places of those where some were left out."""
    add, times = plan.how.rough_add, plan.how.rough_times
    try:
        rough = [(value + add) * times for value in sent]
        near = list(map(round, rough))
    except (ValueError, OverflowError):
        near = []
    # Passes in C alone: nothing is out of bounds, and nothing near a half.
    in_bounds = bool(near) and plan.low <= min(near) and max(near) <= plan.high
    if in_bounds and max(map(abs, map(sub, rough, near))) < 0.5 - TIE:
        return array("h", near), None
    return _one_by_one(plan, sent)


def _one_by_one(plan: Plan, sent: Sequence[float]) -> "tuple[array[int], list[int] | None]":
    values, kept = array("h"), []
    for place, value in enumerate(sent):
        number = scaled(plan.how, value)
        if number is not None and plan.low <= number <= plan.high:
            values.append(number)
            kept.append(place)
    return values, None if len(kept) == len(sent) else kept


def _why_no_plan(item: Sample | Series) -> Code:
    if item.k not in BY_WIRE:
        return "kind-unknown"
    return "context-missing" if kind_of(item.k, item.ctx) is None else "unit-unknown"


def _second(plan: Plan, sent: float | None, first: int) -> int | Code:
    """The diastolic value: below the systolic one."""
    if sent is None:
        return "malformed"
    value, bounds = scaled(plan.how, sent), plan.kind.bounds2
    if value is None or bounds is None or not bounds[0] <= value <= bounds[1] or value >= first:
        return "implausible"
    return value


def _interval_fault(kind: Kind, t: datetime, end: datetime | None) -> Code | None:
    if end is None:
        return "interval-invalid" if kind.is_interval else None
    return None if timedelta() <= end - t <= INTERVAL_MAX else "interval-invalid"


def _is_length(item: Sample, tenths: int) -> bool:
    """Whether a stage of sleep (tenths of a minute) is as long as the time between its ends."""
    assert item.end is not None
    return abs((item.end - item.t).total_seconds() - tenths * 6) < _SLEEP_SECONDS_OFF


def _times(item: Series) -> "tuple[array[int] | None, int] | None":
    """The milliseconds of each point after t0 (None: a constant step) and of the last; None: no shape."""
    points, step, deltas = len(item.v), item.step_ms, item.dt_ms
    if points == 0 or (step is None) == (deltas is None):
        return None
    offsets = None
    if deltas is not None:
        if len(deltas) != points - 1:
            return None
        offsets = array("q", accumulate(deltas, initial=0))
    last = offsets[-1] if offsets is not None else (points - 1) * (step or 0)
    return None if last > SERIES_SPAN_MAX_MS else (offsets, last)


def _thinned(
    t0: datetime, step: int | None, offsets: "array[int] | None", kept: Sequence[int]
) -> "tuple[datetime, array[int]]":
    """Time of the first point that is left, and the milliseconds of all that are left after it."""
    left = [place * (step or 0) if offsets is None else offsets[place] for place in kept]
    return t0 + left[0] * _MILLISECOND, array("q", [offset - left[0] for offset in left])


def _windows(windows: Sequence[Window | None], rejected: list[Rejected]) -> list[WindowRow]:
    """Whole lists of what a device still has; one that left something out removes nothing."""
    rows: list[WindowRow] = []
    for i, one in enumerate(windows):
        if one is None:
            continue
        code = _window_fault(one)
        if code is not None:
            rejected.append(Rejected(of="windows", i=i, code=code))
        elif one.complete:
            kinds = tuple(kind.number for kind in BY_WIRE[one.k])
            rows.append(WindowRow(kinds, _utc(one.since), _utc(one.until), one.ids, i))
    return rows


def _window_fault(window: Window) -> Code | None:
    if window.k not in BY_WIRE:
        return "kind-unknown"
    is_some_time = EARLIEST <= window.since < window.until <= LATEST
    return None if is_some_time and window.until - window.since <= WINDOW_MAX else "interval-invalid"


def _places(sources: Sequence[Source | None]) -> tuple[list[Source], dict[int, int]]:
    """The sources that could be read, and where each place of the batch now stands among them."""
    readable = [(i, source) for i, source in enumerate(sources) if source is not None]
    return [source for _, source in readable], {i: place for place, (i, _) in enumerate(readable)}


def _utc(t: datetime) -> datetime:
    return t if t.tzinfo is UTC else t.astimezone(UTC)
