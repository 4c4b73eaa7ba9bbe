"""The worker's job for share links: files of links that ended leave the store, soon after the end."""

import zlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from consent.links.queries import DeadFile
from consent.links.service import dead_files, forget_files
from kernel.clock import Clock
from kernel.ids import BUCKETS
from store.blobs import BlobError
from store.database import Store
from store.due_queue import arm
from store.models import Due

SWEEP: Final = "share-link-sweep"
EVERY: Final = timedelta(minutes=10)
BATCH: Final = 200
_ALL: Final = "all"


def link_jobs(store: Store, clock: Clock) -> Mapping[str, Callable[[Due], Awaitable[datetime | None]]]:
    """The jobs by kind. The blob goes first: whatever instant the process dies at, no file is forgotten."""

    async def sweep(_due: Due) -> datetime:
        async with store.transaction() as tx:
            dead = await dead_files(tx, clock.now(), BATCH)
        gone = [file for file in dead if await _delete(store, file)]
        async with store.transaction() as tx:
            await forget_files(tx, gone)
        return clock.now() if len(gone) == BATCH else clock.now() + EVERY

    return {SWEEP: sweep}


async def _delete(store: Store, file: DeadFile) -> bool:
    """One that the blob store does not let go keeps its row and holds no other back."""
    try:
        await store.blobs.delete(file.patient_id, file.blob_id)
    except BlobError:
        return False
    return True


async def arm_link_sweep(store: Store, clock: Clock) -> None:
    """Make sure that the job has its row; one that waits keeps its time."""
    async with store.transaction() as tx:
        await arm(tx, zlib.crc32(SWEEP.encode()) % BUCKETS, clock.now(), SWEEP, _ALL)
