"""The stored readings of one kind in some times, as rules judge them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final, NamedTuple
from uuid import UUID

from store.database import Tx
from vitals.alerts import queries
from vitals.alerts.looking import EVER, Span, merged
from vitals.alerts.moving import MOVING
from vitals.alerts.policy import Reading
from vitals.alerts.readings import MINUTE, Steps, Stored, moving_times, places_that_count, source_is_spot
from vitals.alerts.settling import at
from vitals.kinds import KINDS
from vitals.packing import unpack
from vitals.wire import is_sensor

_STEPS: Final = KINDS["steps"].number
_NEVER: Final = datetime(2200, 1, 1, tzinfo=UTC)
# No interval of steps is asked for that began longer before.
_INTERVAL: Final = 6 * 60 * MINUTE


class Loaded(NamedTuple):
    """stored: in no order. since: everything from here on is there, and nothing before; microseconds."""

    stored: list[Stored]
    since: int


async def load(
    tx: Tx,
    patient_id: UUID,
    kind: int,
    spans: Iterable[Span],
    clear: tuple[int, int] | None = None,
    splits: Iterable[int] = (),
) -> Loaded:
    """What is stored in the spans, the newest POINTS_MAX points of it; a series whole as soon as a part of it
    lies there. clear: of a series between these values only what counts is taken (places_that_count);
    splits: times where something else begins."""
    sources = {one.source_id: one for one in await queries.SOURCES.all(tx, patient_id)}
    behind = max((one.clock_behind_ms for one in sources.values()), default=0) * 1000
    ends = _ends(merged(Span(one.since - behind, one.until) for one in spans))
    rows = await queries.SAMPLES.all(tx, patient_id, kind, *ends, queries.POINTS_MAX)
    found = [_stored(sources[row.source_id], row, row.t, row.v, row.v2) for row in rows]
    records = await queries.SERIES.all(tx, patient_id, kind, *ends, queries.POINTS_MAX)
    runs = list[queries.SeriesRead]()
    for one in {one.id: one for one in records}.values():
        if clear is not None and clear[0] < one.v_min and one.v_max < clear[1]:
            runs.append(one)
        else:
            found += _points(sources[one.source_id], one)
    others = sorted({t + after for t in {one.reading.t for one in found} for after in (0, 1)} | set(splits))
    for one in runs:
        found += _points(sources[one.source_id], one, others)
    since = _known_since(rows, records)
    return Loaded([one for one in found if one.reading.t >= since], since)


def _known_since(rows: Sequence[queries.SampleRead], records: Sequence[queries.SeriesRead]) -> int:
    """Where what was read begins to be all that there is."""
    unread = [one.unread_t + 1 for one in records[:1] if one.unread_t is not None]
    unread += [rows[-1].t + 1] if len(rows) == queries.POINTS_MAX else []
    return max(unread, default=-EVER)


async def load_moving(tx: Tx, patient_id: UUID, spans: Iterable[Span]) -> list[tuple[int, int]]:
    """When somebody moved so much that a high heart rate says nothing."""
    ends = _ends(merged(Span(one.since - _INTERVAL, one.until) for one in spans))
    rows = await queries.SAMPLES.all(tx, patient_id, _STEPS, *ends, queries.POINTS_MAX)
    steps = [Steps(row.t, row.end_t or row.t + MINUTE, row.v) for row in rows]
    records = await queries.SERIES.all(tx, patient_id, _STEPS, *ends, queries.POINTS_MAX)
    for one in {one.id: one for one in records}.values():
        steps += _walks(one)
    return moving_times(steps, MOVING.steps_a_minute)


def _ends(spans: Iterable[Span]) -> tuple[list[datetime], list[datetime]]:
    """The spans as two columns."""
    spans = list(spans)
    return [at(one.since) for one in spans], [_NEVER if one.until == EVER else at(one.until) for one in spans]


def _stored(
    source: queries.SourceRead,
    row: queries.SampleRead | queries.SeriesRead,
    t: int,
    v: int,
    v2: int | None,
) -> Stored:
    reading = Reading(
        t=t,
        id=row.id,
        v=v,
        v2=v2,
        source=source.source_id,
        is_spot=source_is_spot(source.kind, source.method),
        is_sensor=is_sensor(source.kind, source.method),
        lag=row.clock_offset_ms * 1000,
    )
    return Stored(reading, row.z, row.ctx)


def _points(
    source: queries.SourceRead, series: queries.SeriesRead, splits: Sequence[int] | None = None
) -> list[Stored]:
    """splits: only what counts between these."""
    first = _stored(source, series, series.t0, 0, None)
    values, offsets = unpack(series.pack, series.n)
    times = [series.t0 + offset * 1000 for offset in offsets]
    places = range(series.n) if splits is None else places_that_count(times, splits)
    return [
        Stored(first.reading._replace(t=times[place], v=values[place]), series.z, series.ctx)
        for place in places
    ]


def _walks(series: queries.SeriesRead) -> list[Steps]:
    """Each point counts up to the next one; the last as long as the one before it."""
    values, offsets = unpack(series.pack, series.n)
    times = [series.t0 + offset * 1000 for offset in offsets]
    lengths = [after - before for before, after in pairwise(times)]
    lengths.append(lengths[-1] if lengths else MINUTE)
    return [Steps(t, t + length, v) for t, length, v in zip(times, lengths, values, strict=True)]
