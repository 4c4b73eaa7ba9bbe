"""The worker's hand at the journal (store/journal.py): within five seconds what was done stands outside the
database (security.md S12)."""

import asyncio
from time import monotonic
from typing import Final

import structlog

from store.database import Store
from store.journal import JournalFiles, is_waiting, write_out

LOOK_SECONDS: Final = 1.0
# A restore to a point this close to the end of the lost database shows by a line of the journal alone.
BEAT_SECONDS: Final = 30.0
RETRY_SECONDS: Final = 5.0

log = structlog.get_logger("journal")


async def keep_writing(store: Store, files: JournalFiles, stop: asyncio.Event) -> None:
    """Until `stop`. A journal that cannot be written is told and tried again; what waits keeps its rows."""
    beaten = -BEAT_SECONDS
    while not stop.is_set():
        pause = LOOK_SECONDS
        try:
            async with store.transaction() as tx:
                waiting = await is_waiting(tx)
            if waiting or monotonic() - beaten >= BEAT_SECONDS:
                await write_out(store, files)
                beaten = monotonic()
        except Exception as error:
            log.error("journal_failed", error=type(error).__name__, alert=True)
            pause = RETRY_SECONDS
        await _wait(stop, pause)
    await _last(store, files)


async def _last(store: Store, files: JournalFiles) -> None:
    """What was numbered before an orderly stop is written before the stop."""
    try:
        await write_out(store, files)
    except Exception as error:
        log.error("journal_failed", error=type(error).__name__, alert=True)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
