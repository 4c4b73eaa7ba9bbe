"""All measurements of a person as lines of JSON, a file for each kind and one for its hours, read a page at a
time: a watch of years never lies in memory.

A single value and a series stand as a batch would send them (docs/vitals.md), in the unit beside them.
"""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final
from uuid import UUID

from store.database import Tx
from vitals.copies import queries
from vitals.copies.queries import HourRow, SampleRow, SeriesRow, SourceRow
from vitals.kinds import CTX_BY_NUMBER, KINDS, UNIT_BY_NUMBER, Kind, shown
from vitals.packing import unpack

FOLDER: Final = "so-do"
PAGE: Final = 1000
# Of series, which are up to 60 KiB each.
PAGE_SERIES: Final = 50
_BEFORE: Final = datetime(1800, 1, 1, tzinfo=UTC)
_NOBODY: Final = UUID(int=0)
_NO_DAY: Final = date(1800, 1, 1)

Sources = dict[int, SourceRow]
Line = dict[str, Any]


async def lots_of(tx: Tx, patient_id: UUID) -> AsyncIterator[tuple[str, list[Line]]]:
    """Names of files, each with some of its lines; what is of one file comes without another between."""
    sources = {one.source_id: one for one in await queries.SOURCES.all(tx, patient_id)}
    for kind in KINDS.values() if sources else ():
        name = f"{FOLDER}/{kind.name}"
        async for samples in _samples(tx, patient_id, kind):
            yield f"{name}.ndjson", [_sample(kind, sources, row) for row in samples]
        async for series in _series(tx, patient_id, kind):
            yield f"{name}.ndjson", [_points(kind, sources, row) for row in series]
        async for hours in _hours(tx, patient_id, kind):
            yield f"{name}-hours.ndjson", [_hour(kind, sources, row) for row in hours]


async def _samples(tx: Tx, patient_id: UUID, kind: Kind) -> AsyncIterator[list[SampleRow]]:
    at, last = _BEFORE, _NOBODY
    while rows := await queries.SAMPLES.all(tx, patient_id, kind.number, at, last, PAGE):
        yield rows
        at, last = rows[-1].t, rows[-1].id


async def _series(tx: Tx, patient_id: UUID, kind: Kind) -> AsyncIterator[list[SeriesRow]]:
    at, last = _BEFORE, _NOBODY
    while rows := await queries.SERIES.all(tx, patient_id, kind.number, at, last, PAGE_SERIES):
        yield rows
        at, last = rows[-1].t0, rows[-1].id


async def _hours(tx: Tx, patient_id: UUID, kind: Kind) -> AsyncIterator[list[HourRow]]:
    after = (_BEFORE, _NO_DAY, 0)
    while rows := await queries.HOURS.all(tx, patient_id, kind.number, *after, PAGE):
        yield rows
        after = (rows[-1].h, rows[-1].day, rows[-1].source_id)


def _sample(kind: Kind, sources: Sources, row: SampleRow) -> Line:
    unit = UNIT_BY_NUMBER[row.unit]
    values = {"v": shown(kind, row.v, unit)} | ({} if row.v2 is None else {"v2": shown(kind, row.v2, unit)})
    end = {} if row.end_t is None else {"end": _local(row.end_t, row.z)}
    head = {"id": row.id, "ver": row.ver, "t": _local(row.t, row.z)}
    return head | end | values | {"u": unit} | _ctx(row.ctx) | {"source": sources[row.source_id]}


def _points(kind: Kind, sources: Sources, row: SeriesRow) -> Line:
    """v: in the canonical unit; ms: of each value after t0."""
    values, offsets = unpack(row.pack, row.n)
    points = {"u": kind.unit, "v": [value / kind.scale for value in values], "ms": list(offsets)}
    head = {"id": row.id, "ver": row.ver, "t0": _local(row.t0, row.z)}
    return head | points | _ctx(row.ctx) | {"source": sources[row.source_id]}


def _hour(kind: Kind, sources: Sources, row: HourRow) -> Line:
    made = {"hour": row.h, "day": row.day, "n": row.n, "u": kind.unit}
    figures: dict[str, int | None] = {"min": row.v_min, "max": row.v_max, "sum": row.v_sum}
    figures |= {} if row.v2_min is None else {"min2": row.v2_min, "max2": row.v2_max, "sum2": row.v2_sum}
    values = {name: None if value is None else value / kind.scale for name, value in figures.items()}
    return made | values | {"source": sources[row.source_id]}


def _local(at: datetime, z: int) -> datetime:
    return at.astimezone(timezone(timedelta(minutes=z)))


def _ctx(number: int | None) -> Line:
    return {} if number is None else {"ctx": CTX_BY_NUMBER[number]}
