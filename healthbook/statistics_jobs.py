"""The worker's nightly count for statistics: decided for each person, and logged in that person's log."""

import zlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from audit.service import record_read
from consent.decision import decide_job
from ehr.statistics.counting import count_person, grow_older, is_due, leave, must_leave, must_read
from ehr.statistics.models import PersonRow, SetRow
from ehr.statistics.publishing import (
    PAGE,
    advance,
    know_key,
    open_set,
    people_done,
    people_page,
    secret_of,
)
from kernel.clock import Clock, local_day, start_of_day
from kernel.ids import BUCKETS, uuid7
from store.database import Store, Tx
from store.due_queue import arm
from store.keys import KeyRing
from store.models import Due

STATISTICS: Final = "statistics"
_ALL: Final = "all"
# After the comparisons with other cores have begun, before the first visits of the day.
HOUR: Final = timedelta(hours=3)
# The heads of so many people's logs are held at once.
READS_PER_STEP: Final = 20
STRETCH: Final = timedelta(minutes=1)


def statistics_jobs(store: Store, clock: Clock) -> Mapping[str, Callable[[Due], Awaitable[datetime | None]]]:
    """The jobs by kind. A stretch ends after a minute and comes again at once, here or at another worker."""

    async def count(_due: Due) -> datetime:
        until = clock.now() + STRETCH
        while await step(store, clock.now()):
            if clock.now() >= until:
                return clock.now()
        return next_night(clock.now())

    return {STATISTICS: count}


async def arm_statistics(store: Store, clock: Clock) -> None:
    """Make sure that the job has its row; one that waits keeps its time."""
    async with store.transaction() as tx:
        await arm(tx, zlib.crc32(STATISTICS.encode()) % BUCKETS, next_night(clock.now()), STATISTICS, _ALL)


async def step(store: Store, now: datetime) -> bool:
    """One short transaction of the day's count. False when it is published."""
    async with store.transaction() as tx:
        current = await open_set(tx, now)
        if current is None:
            return False
        await know_key(tx, store.keys)
        if current.step == "people":
            await _count_people(tx, store.keys, current, now)
        else:
            await advance(tx, store.keys, current, now)
    return True


async def _count_people(tx: Tx, keys: KeyRing, current: SetRow, now: datetime) -> None:
    page, secret, reads = await people_page(tx, current), secret_of(keys), 0
    last: UUID | None = None
    for row in page:
        reads += await _count_one(tx, keys, row, secret, now)
        last = row.patient_id
        if reads >= READS_PER_STEP:
            break
    is_end = len(page) < PAGE and (last is None or last == page[-1].patient_id)
    await people_done(tx, current, None if is_end else last)


async def _count_one(tx: Tx, keys: KeyRing, row: PersonRow, secret: bytes, now: datetime) -> bool:
    """Count a person where something moved. True where that person's rows were written."""
    if must_leave(row):
        await leave(tx, row, secret, now)
        return True
    if not must_read(row):
        if is_due(row, now):
            await grow_older(tx, keys, row, secret, now)
        return is_due(row, now)
    access = await decide_job(tx, "statistics", row.patient_id)
    taken = await count_person(tx, keys, access, row, secret, now)
    await record_read(
        tx,
        access,
        resources=[],
        body=taken,
        outcome="ok",
        request_id=str(uuid7(now)),
        now=now,
        part="statistics",
    )
    return True


def next_night(now: datetime) -> datetime:
    tonight = start_of_day(local_day(now)) + HOUR
    return tonight if tonight > now else tonight + timedelta(days=1)
