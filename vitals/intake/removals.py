"""Items that go: deleted by id, or no longer on a device's whole list. What they leave keeps them out."""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from vitals.intake import queries
from vitals.intake.models import Held
from vitals.intake.series import hours_of
from vitals.intake.sums import by_hour
from vitals.intake.work import Work
from vitals.models import Deleted, Removed, WindowRow

# What one batch takes out: a week of a reading a second, in records of a minute.
RECORDS_MAX: Final = 20_000
POINTS_MAX: Final = 1_000_000


async def delete_sent(work: Work, deletions: Sequence[Deleted]) -> None:
    """What a batch deletes; refuses what another's device sent, and what is too much at once."""
    if not deletions:
        return
    found = await queries.STANDING.all(work.tx, work.patient_id, [one.id for one in deletions])
    standing = {one.id: one for one in found}
    taken: list[Deleted] = []
    for one in deletions:
        stands = standing.pop(one.id, None)
        # Of what is not there nobody knows whose it will be: a tomb would keep it out for good.
        is_mine = work.acting is None if stands is None else work.may_change(stands.device_id)
        if not is_mine:
            work.refuse("deleted", one.i, one.id, "not-yours")
        elif stands is not None and not _has_room(work, 1, stands.n):
            work.refuse("deleted", one.i, one.id, "too-many")
        else:
            taken.append(one)
    await delete(work, taken)


def _has_room(work: Work, records: int, points: int) -> bool:
    """Whether the batch may take out so many more; counts them."""
    if work.records_out + records > RECORDS_MAX or work.points_out + points > POINTS_MAX:
        return False
    work.records_out += records
    work.points_out += points
    return True


async def delete(work: Work, deletions: Iterable[Deleted], reason: Removed = "deleted") -> None:
    """Take out items of these ids up to these versions (None: all there are and will be); counts those of
    which that was news."""
    wanted: dict[UUID, int | None] = {}
    for one in deletions:
        if one.id in wanted and (before := wanted[one.id]) is not None and one.ver is not None:
            wanted[one.id] = max(before, one.ver)
        else:
            wanted[one.id] = one.ver if one.id not in wanted else None
    if not wanted:
        return
    columns = list(wanted), list(wanted.values())
    samples = await queries.DELETE_SAMPLES.all(work.tx, work.patient_id, *columns)
    series = await queries.DELETE_SERIES.all(work.tx, work.patient_id, *columns)
    work.take_out(by_hour(one.point for one in samples))
    for gone in series:
        work.take_out(hours_of(gone))
    known = {one.id: one.kind for one in samples} | {one.id: one.kind for one in series}
    raised = await queries.PUT_TOMBS.all(
        work.tx,
        work.patient_id,
        *columns,
        [known.get(ident) for ident in wanted],
        *(reason, work.device_id, work.seq, work.now),
    )
    work.deleted += len(raised)


async def reconcile(work: Work, window: WindowRow) -> None:
    """Take out what the device sent of the window's kinds and time and no longer holds."""
    if not work.may_change(work.device_id):
        work.refuse("windows", window.i, None, "not-yours")
        return
    asked = (work.patient_id, work.device_id, work.seq, window.kinds, window.since, window.until, window.ids)
    held: Sequence[Held] = await queries.HELD_SAMPLES.all(work.tx, *asked, RECORDS_MAX + 1)
    held = [*held, *await queries.HELD_SERIES.all(work.tx, *asked, RECORDS_MAX + 1)]
    if _has_room(work, len(held), sum(one.n for one in held)):
        await delete(work, [Deleted(one.id, one.ver) for one in held], "window")
    else:
        work.refuse("windows", window.i, None, "too-many")
