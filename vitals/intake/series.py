"""Records of many points into rows: each id once, by its highest version, its points packed."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Final, NamedTuple
from uuid import UUID

from vitals.intake import queries
from vitals.intake.models import StoredSeries
from vitals.intake.sums import HourKey, Sums, add, series_by_hour
from vitals.intake.work import Work
from vitals.models import SeriesRow
from vitals.packing import pack, pack_steady, unpack

# Hours that the records of one batch come into, or leave: more than a year of one value an hour.
HOURS_MAX: Final = 10_000


class _Record(NamedTuple):
    """A series as its row, but for person and time of arrival."""

    id: UUID
    ver: int
    t0: datetime
    t1: datetime
    v_sum: int
    n: int
    kind: int
    source_id: int
    z: int
    ctx: int | None
    unit: int
    flags: int
    v_min: int
    v_max: int
    v_first: int
    v_last: int
    pack: bytes


class _Item(NamedTuple):
    record: _Record
    sums: dict[HourKey, Sums]
    i: int


async def store(work: Work, rows: Sequence[SeriesRow]) -> None:
    """Insert what is new, put higher versions in the place of lower ones, count the rest. rows: one an id."""
    items = [one for one in (_item(row, work.places[row.source]) for row in rows) if _has_room(work, one)]
    if not items:
        return
    came = set(await queries.PUT_SERIES.all(work.tx, work.patient_id, *_columns(items), *work.came))
    work.stored += len(came)
    for item in items:
        if item.record.id in came:
            work.points += item.record.n
            add(work.fresh, item.sums)
    if len(came) < len(items):
        await _again(work, [item for item in items if item.record.id not in came])


async def _again(work: Work, items: Sequence[_Item]) -> None:
    """Records whose ids stand already."""
    found = await queries.SERIES.all(work.tx, work.patient_id, [item.record.id for item in items])
    stood = {one.id: one for one in found}
    await work.learn_sources(one.source_id for one in found)
    edited = [item for item in items if _edits(work, item, stood[item.record.id])]
    for item in edited:
        work.edit(item.sums, hours_of(stood[item.record.id]))
    if edited:
        noted = (work.patient_id, work.device_id, work.seq, [item.record.id for item in edited])
        await queries.NOTE_LATER_SERIES.run(work.tx, *noted)
        await queries.EDIT_SERIES.run(work.tx, work.patient_id, *_columns(edited), *work.came)


def _has_room(work: Work, item: _Item) -> bool:
    """Whether the batch may touch the hours of one more record; counts them, or refuses it."""
    if work.hours + len(item.sums) > HOURS_MAX:
        work.refuse("series", item.i, item.record.id, "too-many")
        return False
    work.hours += len(item.sums)
    return True


def _may_leave(work: Work, item: _Item, was: StoredSeries) -> bool:
    """The same for the hours that an edited record leaves."""
    left = len(hours_of(was))
    if work.hours_left + left > HOURS_MAX:
        work.refuse("series", item.i, item.record.id, "too-many")
        return False
    work.hours_left += left
    return True


def _columns(items: Iterable[_Item]) -> Iterable[Sequence[object]]:
    return zip(*(item.record for item in items), strict=True)


def _edits(work: Work, item: _Item, was: StoredSeries) -> bool:
    """Whether the record takes the place of what stands; counts it."""
    record = item.record
    if record.ver > was.ver:
        if not work.may_change(work.sources[was.source_id].device_id):
            work.refuse("series", item.i, record.id, "not-yours")
            return False
        if not _may_leave(work, item, was):
            return False
        work.updated += 1
        work.points += record.n
        return True
    if record.ver == was.ver and not _is_same(record, was):
        work.refuse("series", item.i, record.id)
        return False
    work.duplicate += 1
    work.again.append(record.id)
    return record.ver == was.ver and work.goes_before(record.source_id, was.source_id)


def _is_same(record: _Record, was: StoredSeries) -> bool:
    """The same but for its source, as two phones may send what one watch wrote, and for its zone."""
    sent = (record.t0, record.kind, record.ctx, record.unit, record.n, record.pack)
    return sent == (was.t0, was.kind, was.ctx, was.unit, was.n, was.pack)


def hours_of(was: StoredSeries) -> dict[HourKey, Sums]:
    """What a stored series adds to the hours."""
    values, offsets = unpack(was.pack, was.n)
    return series_by_hour(was.id, was.t0, offsets, values, was.kind, was.source_id, was.z)


def span_of(row: SeriesRow) -> timedelta:
    """From its first point to its last."""
    return timedelta(milliseconds=_offsets(row)[-1])


def _offsets(row: SeriesRow) -> Sequence[int]:
    """ms of each point after t0."""
    if row.offsets is not None:
        return row.offsets
    n, step = len(row.values), row.step_ms or 0
    return range(0, n * step, step) if step else [0] * n


def _item(row: SeriesRow, source_id: int) -> _Item:
    values, offsets = row.values, _offsets(row)
    sums = series_by_hour(row.id, row.t0, offsets, values, row.kind, source_id, row.z)
    parts = list(sums.values())
    first = min(parts, key=attrgetter("first_t", "first_v"))
    last = max(one.last for one in parts)
    record = _Record(
        id=row.id,
        ver=row.ver,
        t0=row.t0,
        t1=last.t,
        v_sum=sum(one.v_sum for one in parts),
        n=len(values),
        kind=row.kind,
        source_id=source_id,
        z=row.z,
        ctx=row.ctx,
        unit=row.unit,
        flags=row.flags,
        v_min=min(one.v_min for one in parts),
        v_max=max(one.v_max for one in parts),
        v_first=first.first_v,
        v_last=last.v,
        pack=pack(values, offsets) if row.offsets is not None else pack_steady(values, row.step_ms or 0),
    )
    return _Item(record, sums, row.i)
