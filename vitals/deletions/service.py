"""What the person wants gone goes for good: its tomb keeps the same record out when a phone sends it again.

Hours and the latest values are made anew, and an alert that no longer holds is retracted, in the same
transaction.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from typing import Final
from uuid import UUID

from audit.service import record_act
from kernel.access import Access
from kernel.problems import Refused
from store.database import Tx
from vitals.alerts.judging import judge
from vitals.deletions import queries
from vitals.deletions.models import DeletedVitals, Wanted, Wish
from vitals.intake.removals import delete as remove
from vitals.intake.settling import settle
from vitals.intake.work import begin
from vitals.kinds import BY_NUMBER
from vitals.models import Deleted
from vitals.problems import VITAL_SOURCE_UNKNOWN
from vitals.sight import source_of

# Records and points of one request: as many as a batch may hold, and ten times as many.
LOT: Final = 2_500
POINTS: Final = 600_000


async def delete(
    tx: Tx, access: Access, birth: str | None, wish: Wish, *, request_id: str, now: datetime
) -> DeletedVitals | Refused:
    """Take out a lot of what is wanted gone. birth: FHIR partial date of the person, for the rules. Refused:
    vital-source-unknown."""
    people = access.patient_id, *sorted(access.origins)
    source = None if wish.source is None else source_of(people, wish.source)
    if source is None and wish.source is not None:
        return Refused(problem=VITAL_SOURCE_UNKNOWN)
    deleted, more = 0, False
    for person in people if source is None else [source[0]]:
        gone, left = await _of_one(tx, person, source and source[1], birth, wish, now)
        deleted, more = deleted + gone, more or left
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        "vitals:record:delete",
        request_id=request_id,
        now=now,
        on_behalf_of=access.on_behalf_of,
    )
    return DeletedVitals(deleted=deleted, more=more)


async def _of_one(
    tx: Tx, person: UUID, source_id: int | None, birth: str | None, wish: Wish, now: datetime
) -> tuple[int, bool]:
    work = await begin(tx, person, now)
    asked = (person, wish.kinds or sorted(BY_NUMBER), source_id, wish.since, wish.until)
    wanted = await (_named(tx, person, wish.ids) if wish.ids else _wanted(tx, asked))
    lot = _lot(wanted)
    await remove(work, [Deleted(one.id, None) for one in lot])
    more = len(lot) < len(wanted)
    if not wish.ids and not more:
        await queries.ARCHIVED_HOURS.run(tx, *asked)
        await queries.ARCHIVED_LATEST.run(tx, *asked)
    touched = await settle(work)
    if touched:
        await judge(tx, person, birth, touched, now)
    return work.deleted, more


async def _named(tx: Tx, person: UUID, idents: Sequence[UUID]) -> Sequence[Wanted]:
    """Each once; an id that is not there leaves its tomb."""
    points = {one.id: one.n for one in await queries.SERIES_NAMED.all(tx, person, idents)}
    return [Wanted(ident, points.get(ident, 0)) for ident in dict.fromkeys(idents)]


async def _wanted(tx: Tx, asked: tuple[object, ...]) -> Sequence[Wanted]:
    """A lot of them, and one more where there are more."""
    samples = await queries.SAMPLES.all(tx, *asked, LOT + 1)
    return [*samples, *await queries.SERIES.all(tx, *asked, LOT + 1)][: LOT + 1]


def _lot(wanted: Sequence[Wanted]) -> Sequence[Wanted]:
    """As many as one transaction takes out: one series at least."""
    points = list(accumulate(one.n for one in wanted))
    return wanted[: min(LOT, max(1, bisect_right(points, POINTS)))]
