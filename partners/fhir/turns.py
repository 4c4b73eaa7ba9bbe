"""Searches that compare documents, in turn: one at a time of a client and person, and few in a process.

They wait before any transaction is open, so that a wait holds no connection (security.md S33). An app that
sends the searches of its first page all at once is answered one after the other.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final
from uuid import UUID
from weakref import WeakValueDictionary

from identity.problems import TOO_MANY
from kernel.problems import ProblemError, Refused

WAIT_SECONDS: Final = 5.0
_RETRY_AFTER_SECONDS: Final = 2


class SearchTurns:
    """Turns of one process: as many at once as cores, unless told otherwise."""

    def __init__(self, at_once: int | None = None, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._turns = asyncio.Semaphore(at_once or os.cpu_count() or 1)
        self._wait_seconds = wait_seconds
        # Gone with the last search that holds it.
        self._of_one: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, reference: UUID) -> AsyncIterator[None]:
        """Wait for the turn of a consent, which is of one client and one person. Raises `too-many`."""
        mine = self._of_one.setdefault(reference, asyncio.Semaphore(1))
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(self._wait_seconds):
                    for turns in (mine, self._turns):
                        await turns.acquire()
                        held.callback(turns.release)
            except TimeoutError:
                refused = Refused(problem=TOO_MANY, retry_after_seconds=_RETRY_AFTER_SECONDS)
                raise ProblemError(refused) from None
            yield
