"""The worker's job in the file store: once a day it takes away what dying uploads left half done."""

import zlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from kernel.clock import Clock
from kernel.ids import BUCKETS
from store.database import Store
from store.due_queue import arm
from store.models import Due

SWEEP: Final = "blob-sweep"
EVERY: Final = timedelta(days=1)
# Longer than the slowest upload that is still alive.
KEPT: Final = timedelta(days=1)
_ALL: Final = "all"


def blob_jobs(store: Store, clock: Clock) -> Mapping[str, Callable[[Due], Awaitable[datetime | None]]]:
    """The jobs by kind. A store that does not answer is asked again later, as for every failed job."""

    async def sweep(_due: Due) -> datetime:
        await store.blobs.sweep(clock.now() - KEPT)
        return clock.now() + EVERY

    return {SWEEP: sweep}


async def arm_sweep(store: Store, clock: Clock) -> None:
    """Make sure that the job has its row; one that waits keeps its time."""
    async with store.transaction() as tx:
        await arm(tx, zlib.crc32(SWEEP.encode()) % BUCKETS, clock.now(), SWEEP, _ALL)
