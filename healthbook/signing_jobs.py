"""The worker's nightly look at what was signed (security.md S28)."""

import zlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog

from audit.service import record_admin_event
from kernel.clock import Clock, local_day, start_of_day
from kernel.ids import BUCKETS
from store.database import Store
from store.due_queue import arm
from store.models import Due
from vaccination.signer.reconciling import PROGRAM, Reconciled, reconcile, seal_head

SIGNATURES: Final = "signatures"
_ALL: Final = "all"
HOUR: Final = timedelta(hours=4)
# Twice a night's stretch: a night without a worker leaves no hour out.
LOOKED_BACK: Final = timedelta(days=2)

log = structlog.get_logger("signatures")


def signing_jobs(store: Store, clock: Clock) -> Mapping[str, Callable[[Due], Awaitable[datetime | None]]]:
    """The job by kind."""

    async def look(_due: Due) -> datetime:
        await look_through(store, clock.now())
        return next_night(clock.now())

    return {SIGNATURES: look}


async def arm_signing(store: Store, clock: Clock) -> None:
    """Make sure that the job has its row; one that waits keeps its time."""
    async with store.transaction() as tx:
        await arm(tx, zlib.crc32(SIGNATURES.encode()) % BUCKETS, next_night(clock.now()), SIGNATURES, _ALL)


async def look_through(store: Store, now: datetime) -> Reconciled:
    """Compare, keep the log's end, and say aloud what does not fit."""
    async with store.transaction() as tx:
        found = await reconcile(tx, now - LOOKED_BACK, now)
        if found.head is not None:
            await seal_head(tx, found.head, now)
        if found.strays:
            await record_admin_event(
                tx, PROGRAM, "signing:stray", "signatures and rows differ", len(found.strays), now
            )
    if found.strays:
        log.error("strays", count=len(found.strays), faults=sorted({one.fault for one in found.strays}))
    return found


def next_night(now: datetime) -> datetime:
    """The next time of the day's look, in Vietnam."""
    at = start_of_day(local_day(now)) + HOUR
    return at if at > now else start_of_day(local_day(now) + timedelta(days=1)) + HOUR
