"""How many sendings are taken in at once: one for each system, as many as cores in all (security.md S33).

Counted in this process: with several API processes a system can have one sending in each.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import NoReturn
from uuid import UUID

from ehr.intake.problems import RECORDS_BUSY
from kernel.problems import ProblemError, ProblemType, Refused

RETRY_AFTER_SECONDS = 2
_QUEUE_PER_SLOT = 2


class ImportSlots:
    """Slots and a queue twice as long; whoever comes then, or comes twice, is told to come back."""

    def __init__(self, slots: int | None = None, problem: ProblemType = RECORDS_BUSY) -> None:
        self._problem = problem
        self._slots = slots or os.cpu_count() or 1
        self._turns = asyncio.Semaphore(self._slots)
        self._inside = 0
        self._sending: set[UUID] = set()

    @contextmanager
    def of(self, actor_id: UUID) -> Iterator[None]:
        """Hold the one place of a system, from before its body is read. Raises `records-busy`."""
        if actor_id in self._sending:
            self._refuse()
        self._sending.add(actor_id)
        try:
            yield
        finally:
            self._sending.discard(actor_id)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a slot once the body is there: a slow sender holds up nobody. Raises `records-busy`."""
        if self._inside >= self._slots * (1 + _QUEUE_PER_SLOT):
            self._refuse()
        self._inside += 1
        try:
            async with self._turns:
                yield
        finally:
            self._inside -= 1

    def _refuse(self) -> NoReturn:
        raise ProblemError(Refused(problem=self._problem, retry_after_seconds=RETRY_AFTER_SECONDS))
