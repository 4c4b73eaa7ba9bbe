"""Single values into rows: each id once, by its highest version."""

from collections.abc import Iterable, Sequence

from vitals.intake import queries
from vitals.intake.models import StoredSample
from vitals.intake.sums import Point, add, by_hour
from vitals.intake.work import Work
from vitals.models import SampleRow


async def store(work: Work, rows: Sequence[SampleRow]) -> None:
    """Insert what is new, put higher versions in the place of lower ones, count the rest. rows: one an id."""
    came = await queries.PUT_SAMPLES.all(work.tx, work.patient_id, *_columns(work, rows), *work.came)
    work.stored += len(came)
    if len(came) < len(rows):
        fresh = set(came)
        await _again(work, [row for row in rows if row.id not in fresh])
        rows = [row for row in rows if row.id in fresh]
    add(work.fresh, by_hour(_points(work, rows)))


async def _again(work: Work, rows: Sequence[SampleRow]) -> None:
    """Rows whose ids stand already."""
    found = await queries.SAMPLES.all(work.tx, work.patient_id, [row.id for row in rows])
    stood = {one.id: one for one in found}
    await work.learn_sources(one.source_id for one in found)
    edited = [row for row in rows if _edits(work, row, stood[row.id])]
    if edited:
        noted = (work.patient_id, work.device_id, work.seq, [row.id for row in edited])
        await queries.NOTE_LATER_SAMPLES.run(work.tx, *noted)
        await queries.EDIT_SAMPLES.run(work.tx, work.patient_id, *_columns(work, edited), *work.came)
        work.edit(by_hour(_points(work, edited)), by_hour(stood[row.id].point for row in edited))


def _edits(work: Work, row: SampleRow, was: StoredSample) -> bool:
    """Whether the row takes the place of what stands; counts it."""
    if row.ver > was.ver:
        if not work.may_change(work.sources[was.source_id].device_id):
            work.refuse("samples", row.i, row.id, "not-yours")
            return False
        work.updated += 1
        return True
    if row.ver == was.ver and not _is_same(row, was):
        work.refuse("samples", row.i, row.id)
        return False
    work.duplicate += 1
    work.again.append(row.id)
    return row.ver == was.ver and work.goes_before(work.places[row.source], was.source_id)


def _is_same(row: SampleRow, was: StoredSample) -> bool:
    """The same but for its source, as two phones may send what one watch wrote, and for its zone: two exports
    of one reading may write the same instant otherwise."""
    sent = (row.t, row.end_t, row.v, row.v2, row.kind, row.ctx, row.unit)
    return sent == (was.t, was.end_t, was.v, was.v2, was.kind, was.ctx, was.unit)


def _columns(work: Work, rows: Sequence[SampleRow]) -> list[Sequence[object]]:
    ident, ver, t, end_t, v, v2, kind, source, z, ctx, unit, flags, _ = zip(*rows, strict=True)
    places = [work.places[place] for place in source]
    return [ident, ver, t, end_t, v, v2, kind, places, z, ctx, unit, flags]


def _points(work: Work, rows: Sequence[SampleRow]) -> Iterable[Point]:
    places = work.places
    return [Point(r.t, r.v, r.id, r.v2, r.kind, places[r.source], r.z) for r in rows]
