"""Measurements as pictures: gaps stay gaps, extremes stay visible, reference ranges lie behind."""

from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Final

import msgspec

from documents.charts import Axis, Band, Chart, Curve, Mark, Point, Tone, draw, figure
from ehr.reads.models import Built
from kernel.access import Access
from kernel.clock import VIETNAM
from store.database import Tx
from vitals.figures.agp import SLOT_MINUTES, Group, Slot
from vitals.kinds import Kind
from vitals.reads import charts
from vitals.reads.charts import Found, Window
from vitals.reads.models import Agp
from vitals.reads.queries import BucketRow
from vitals.reads.references import LINES, RANGES
from vitals.reads.reports import GLUCOSE, profile
from vitals.reads.shown import in_unit, is_added_up, kind_named, title_of
from vitals.reads.texts import (
    AGP_LINES_VI,
    AGP_NOTHING_VI,
    AGP_TITLE_VI,
    CLOCK_VI,
    DAY_VI,
    HOUR_OF_DAY_VI,
    NO_DIAGNOSIS_VI,
    NOTHING_VI,
    SELF_MEASURED_VI,
    SUMS_OF_DAYS_VI,
    SUMS_OF_HOURS_VI,
    TITLE_OF_DAY_VI,
    TITLE_OF_DAYS_VI,
    UNITS_VI,
    VALUE_AT_VI,
)
from vitals.sight import sight_of

BUCKETS: Final = 300
# Of so many buckets side by side each has room for a mark; a few without a neighbour have one anywhere.
_MARKS_MAX: Final = 60
_FEW: Final = 3
# A bar leaves this part of its bucket free at either side.
_BETWEEN_BARS: Final = 0.1
_STEPS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)
_AXIS_LINES: Final = 10
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
# Distances of the lines of time: the first that gives a dozen at most.
_TIMES: Final = (_HOUR, 3 * _HOUR, 6 * _HOUR, _DAY, 2 * _DAY, 7 * _DAY, 30 * _DAY, 90 * _DAY, 365 * _DAY)
_TIMES_MAX: Final = 12
_TOLD_MAX: Final = 8


async def draw_kind(tx: Tx, access: Access, name: str, window: Window) -> Built:
    """SVG of one kind over time; without a value it says so. Raises vital-kind-unknown."""
    kind = kind_named(name)
    if is_added_up(kind) and window.until - window.since > charts.READINGS_SPAN:
        window = _whole_days(window)
    found = await charts.gather(tx, sight_of(access), kind, window)
    return Built(draw(picture(kind, found, window)), charts.shown_of(kind, found.rows))


async def draw_profile(tx: Tx, access: Access, days: int, group: Group, now: datetime) -> Built:
    """SVG of the glucose profile; without readings the range, and that there is none."""
    made = await profile(tx, access, days, group, now)
    return Built(draw(agp_picture(made)), [("Observation", GLUCOSE.name)] if made.profile.readings else [])


def _whole_days(window: Window) -> Window:
    """From the first midnight of Vietnam to the last, with a bar for each day, or for so many days each."""
    since = window.since.astimezone(VIETNAM).replace(hour=0, minute=0, second=0, microsecond=0)
    days = ceil((window.until - since) / _DAY)
    each = ceil(days / window.buckets)
    bars = ceil(days / each)
    return Window(since.astimezone(UTC), (since + bars * each * _DAY).astimezone(UTC), bars)


def picture(kind: Kind, found: Found, window: Window) -> Chart:
    """What is added up as bars; of all else the means as lines, the least and the greatest of each bucket
    behind them, and marks where there is room for them."""
    x = _time_axis(window)
    y = _value_axis(kind, found)
    bars = [_bar(kind, found, row) for row in found.rows] if is_added_up(kind) else []
    parts = [] if is_added_up(kind) else _parts(found.rows)
    is_roomy = (x.high - x.low) / _seconds(found) <= _MARKS_MAX
    marked = [row for part in parts if is_roomy or len(part) <= _FEW for row in part]
    spreads = [band for part in parts for band in _spread(kind, found, part)]
    return Chart(
        title=_title(title_of(kind), window.since, window.until),
        x=x,
        y=y,
        bands=[*_ranges(kind, x, y), *bars, *spreads],
        curves=[_level(value, tone, x) for value, tone in LINES.get(kind.name, ())],
        marks=[Mark(at=point) for row in marked for point in _points(kind, found, row)],
        foot=SELF_MEASURED_VI,
        lines=[*_told(kind, found), NO_DIAGNOSIS_VI],
        traces=[trace for part in parts for trace in _traces(kind, found, part)],
        note="" if found.rows else NOTHING_VI,
    )


def _title(title: str, since: datetime, until: datetime) -> str:
    """With the days of Vietnam that are drawn: nothing else on the picture says which they are."""
    first, last = (f"{at.astimezone(VIETNAM):%d/%m/%Y}" for at in (since, until - timedelta(microseconds=1)))
    form = TITLE_OF_DAY_VI if first == last else TITLE_OF_DAYS_VI
    return form.format(title=title, since=first, until=last)


def _seconds(found: Found) -> float:
    return found.width.total_seconds()


def _bar(kind: Kind, found: Found, row: BucketRow) -> Band:
    free = _seconds(found) * _BETWEEN_BARS
    start = found.at(row).timestamp()
    ends = (start + free, start + _seconds(found) - free)
    top = in_unit(kind, row.v_sum)
    return Band(lower=[(at, 0) for at in ends], upper=[(at, top) for at in ends], tone="bar")


def _parts(rows: list[BucketRow]) -> list[list[BucketRow]]:
    """Runs of buckets without an empty one between them."""
    parts: list[list[BucketRow]] = []
    for row in rows:
        if parts and parts[-1][-1].bucket + 1 == row.bucket:
            parts[-1].append(row)
        else:
            parts.append([row])
    return parts


def _middle(found: Found, row: BucketRow) -> float:
    return (found.at(row) + found.width / 2).timestamp()


def _means(kind: Kind, row: BucketRow) -> list[float]:
    """What is drawn of a bucket: the mean (of blood pressure both), or the sum of what is added up."""
    if is_added_up(kind):
        return [in_unit(kind, row.v_sum)]
    second = [] if row.v2_sum is None else [in_unit(kind, row.v2_sum / row.n)]
    return [in_unit(kind, row.v_sum / row.n), *second]


def _traces(kind: Kind, found: Found, part: list[BucketRow]) -> list[list[Point]]:
    lines = zip(*(_means(kind, row) for row in part), strict=True)
    times = [_middle(found, row) for row in part]
    return [list(zip(times, line, strict=True)) for line in lines]


def _points(kind: Kind, found: Found, row: BucketRow) -> list[Point]:
    return [(_middle(found, row), mean) for mean in _means(kind, row)]


def _spread(kind: Kind, found: Found, part: list[BucketRow]) -> list[Band]:
    """From the least to the greatest; a bucket alone is as wide as it is long."""
    first = [_band(kind, found, [(row, row.v_min, row.v_max) for row in part])]
    second = [
        (row, row.v2_min, row.v2_max) for row in part if row.v2_min is not None and row.v2_max is not None
    ]
    return [*first, _band(kind, found, second)] if second else first


def _band(kind: Kind, found: Found, spreads: list[tuple[BucketRow, int, int]]) -> Band:
    half = _seconds(found) / 2
    lower: list[Point] = []
    upper: list[Point] = []
    for row, low, high in spreads:
        middle = _middle(found, row)
        for at in (middle - half, middle + half):
            lower.append((at, in_unit(kind, low)))
            upper.append((at, in_unit(kind, high)))
    return Band(lower=lower, upper=upper, tone="spread")


def _ranges(kind: Kind, x: Axis, y: Axis) -> list[Band]:
    found = RANGES.get(kind.name)
    if found is None:
        return []
    low, high = max(found[0], y.low), min(found[1], y.high)
    return [_between(x, low, high)] if low < high else []


def _between(x: Axis, low: float, high: float) -> Band:
    return Band(lower=[(x.low, low), (x.high, low)], upper=[(x.low, high), (x.high, high)], tone="middle")


def _level(value: float, tone: Tone, x: Axis) -> Curve:
    return Curve(points=[(x.low, value), (x.high, value)], name=figure(value), tone=tone)


def _value_axis(kind: Kind, found: Found) -> Axis:
    """All that was measured, and all that lies behind it: else a range would end at the edge by chance."""
    values = [value for row in found.rows for value in _extremes(kind, row)]
    values += [*RANGES.get(kind.name, ()), *(value for value, _ in LINES.get(kind.name, ()))]
    if not found.rows and kind.name not in RANGES:
        values += [kind.low, kind.high]
    low, high = (0.0 if is_added_up(kind) else min(values)), max(values)
    step = next((one for one in _STEPS if (high - low) / one <= _AXIS_LINES), _STEPS[-1])
    bottom, top = low // step * step, -(-high // step) * step
    return Axis(label=_axis_label(kind, found), low=bottom, high=max(top, bottom + step), step=step)


def _axis_label(kind: Kind, found: Found) -> str:
    if not is_added_up(kind):
        return _unit(kind)
    form, each = (SUMS_OF_HOURS_VI, _HOUR) if found.width % _DAY else (SUMS_OF_DAYS_VI, _DAY)
    return form.format(unit=_unit(kind), n=found.width // each)


def _unit(kind: Kind) -> str:
    return UNITS_VI.get(kind.unit, kind.unit)


def _extremes(kind: Kind, row: BucketRow) -> list[float]:
    if is_added_up(kind):
        return [in_unit(kind, row.v_sum)]
    second = () if row.v2_min is None or row.v2_max is None else (row.v2_min, row.v2_max)
    return [in_unit(kind, value) for value in (row.v_min, row.v_max, *second)]


def _time_axis(window: Window) -> Axis:
    span = window.until - window.since
    step = next((one for one in _TIMES if span / one <= _TIMES_MAX), _TIMES[-1])
    days = "%d/%m" if step < 90 * _DAY else "%m/%Y"
    form = "%H:%M" if step < _DAY else days
    at = window.since.astimezone(VIETNAM).replace(hour=0, minute=0, second=0, microsecond=0)
    ticks = []
    while at <= window.until:
        if at >= window.since:
            ticks.append((at.timestamp(), f"{at:{form if at.hour else days}}"))
        at += step
    return Axis(
        label=CLOCK_VI if step < _DAY else DAY_VI,
        low=window.since.timestamp(),
        high=window.until.timestamp(),
        step=step.total_seconds(),
        ticks=ticks,
    )


def _told(kind: Kind, found: Found) -> list[str]:
    if not found.rows:
        return [NOTHING_VI]
    shown = found.rows[-_TOLD_MAX:]
    return [
        VALUE_AT_VI.format(
            at=f"{found.at(row).astimezone(VIETNAM):%H:%M %d/%m/%Y}",
            value="/".join(figure(mean) for mean in _means(kind, row)),
            unit=_unit(kind),
        )
        for row in shown
    ]


def agp_picture(made: Agp) -> Chart:
    """Percentiles of the day: the middle half dark, nine of ten light, the range behind."""
    x = Axis(label=HOUR_OF_DAY_VI, low=0, high=24, step=3)
    y = Axis(label="mg/dL", low=40, high=400 if _peak(made) > 300 else 300, step=20)
    runs = _runs(made.profile.slots)
    return Chart(
        title=_title(AGP_TITLE_VI, made.since, made.until),
        x=x,
        y=y,
        bands=[
            _between(x, made.low, made.high),
            *(_percentiles(run, "p5", "p95", "spread") for run in runs),
            *(_percentiles(run, "p25", "p75", "inner") for run in runs),
        ],
        curves=[_level(made.low, "near", x), _level(made.high, "near", x)],
        marks=[],
        foot=SELF_MEASURED_VI,
        lines=[*_agp_told(made), NO_DIAGNOSIS_VI],
        traces=[[(_hour(slot), slot.p50) for slot in run] for run in runs],
        note="" if made.profile.slots else AGP_NOTHING_VI,
    )


def _peak(made: Agp) -> float:
    return max((slot.p95 for slot in made.profile.slots), default=0)


def _hour(slot: Slot) -> float:
    return (slot.minute + SLOT_MINUTES / 2) / 60


def _runs(slots: list[Slot]) -> list[list[Slot]]:
    runs: list[list[Slot]] = []
    for slot in slots:
        if runs and runs[-1][-1].minute + SLOT_MINUTES == slot.minute:
            runs[-1].append(slot)
        else:
            runs.append([slot])
    return runs


def _percentiles(run: list[Slot], low: str, high: str, tone: str) -> Band:
    return Band(
        lower=[(_hour(slot), getattr(slot, low)) for slot in run],
        upper=[(_hour(slot), getattr(slot, high)) for slot in run],
        tone="inner" if tone == "inner" else "spread",
    )


def _agp_told(made: Agp) -> list[str]:
    found = made.profile
    if found.shares is None:
        return [AGP_NOTHING_VI]
    figures = msgspec.structs.asdict(found) | msgspec.structs.asdict(found.shares)
    lines = [made.sufficient_vi] if made.sufficient_vi else []
    return lines + [line.format(**figures, low=made.low, high=made.high) for line in AGP_LINES_VI]
