"""What is kept, and for how long: points of series, single readings, and the sums of hours; after these the
sums of days, which are the archive.

Sums outlive what they were made of, so that years can still be drawn. Tombs stay: what was deleted once must
not come back from an old phone.
"""

from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from kernel.ids import bucket_of
from store.database import Tx
from store.due_queue import arm
from store.statement import Scalar
from vitals.accepting import SERIES_DAYS
from vitals.kinds import BY_NUMBER
from vitals.retention import queries

LOT: Final = 2_000
# Days of one person that are archived at once, each of at most 25 hours for each source.
DAYS_LOT: Final = 200
JOB: Final = "vital-retention"
# A person is looked at when something is over: no sooner than in a day, and no later than in a month, since
# old data comes in too and settings change.
SOONEST: Final = timedelta(days=1)
LATEST: Final = timedelta(days=30)
_KINDS: Final = sorted(BY_NUMBER)
_ADDED_UP: Final = [kind.number for kind in BY_NUMBER.values() if kind.is_cumulative]


class Retention(Struct, frozen=True, kw_only=True):
    """Days after a measurement; 0: for ever. hours_days: then the sums of its day take the place of those of
    its hours; archive_days: how long sums are kept at all."""

    series_days: int = SERIES_DAYS
    samples_days: int = 0
    hours_days: int = 0
    archive_days: int = 0


async def watch(tx: Tx, patient_id: UUID, now: datetime) -> None:
    """Look at a person's measurements from now on; one who is looked at already keeps the time."""
    await arm(tx, bucket_of(patient_id), now + SOONEST, JOB, str(patient_id))


async def next_look(tx: Tx, patient_id: UUID, kept: Retention, now: datetime) -> datetime | None:
    """When the oldest of a person's measurements will be over, as far as is looked ahead. None: the person is
    no more. Hours become days at any look, so that none is made for them alone."""
    if await queries.LOCK.one(tx, patient_id) is None:
        return None
    ends = [now + LATEST]
    for statement, days in (
        (queries.OLDEST_SERIES, kept.series_days),
        (queries.OLDEST_SAMPLE, kept.samples_days),
        (queries.OLDEST_HOUR, kept.archive_days),
    ):
        oldest = await statement.one(tx, patient_id, _KINDS) if days else None
        if oldest is not None:
            ends.append(oldest + timedelta(days=days))
    return max(min(ends), now + SOONEST)


async def forget_some(tx: Tx, patient_id: UUID, kept: Retention, now: datetime) -> int:
    """Remove a lot of one person's measurements whose time is over. Returns how many rows; 0: none left."""
    if await queries.LOCK.one(tx, patient_id) is None:
        return 0
    rows = 0
    for statement, gone, days in (
        (queries.SERIES, queries.SERIES_GONE, kept.series_days),
        (queries.SAMPLES, queries.SAMPLES_GONE, kept.samples_days),
    ):
        before = border(now, days)
        went = await _forget(tx, statement, patient_id, before)
        if went:
            await gone.run(tx, patient_id, before)
        rows += went
    rows += await _forget(tx, queries.HOURS, patient_id, border(now, kept.archive_days))
    return rows + await _archive(tx, patient_id, border(now, kept.hours_days))


async def _forget(tx: Tx, statement: Scalar[int], patient_id: UUID, before: datetime | None) -> int:
    if before is None:
        return 0
    return await statement.one(tx, patient_id, _KINDS, before, LOT) or 0


async def _archive(tx: Tx, patient_id: UUID, before: datetime | None) -> int:
    """Sums of days for those of hours, where the whole day lies before. Returns how many hours."""
    if before is None:
        return 0
    day = day_before(before)
    hours = await queries.DAYS.one(tx, patient_id, _KINDS, day, DAYS_LOT, _ADDED_UP) or 0
    if hours:
        await queries.BY_DAY.run(tx, patient_id, day)
    return hours


def border(now: datetime, days: int) -> datetime | None:
    """What lies before it is kept no longer: a whole hour, since sums are of hours. None: nothing goes."""
    if not days:
        return None
    return (now - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)


def day_before(before: datetime) -> date:
    """Days before this one are over by then in every zone."""
    return (before - timedelta(hours=12)).date()
