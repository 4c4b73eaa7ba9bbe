"""How much dear work is done at once: one piece for each actor over all processes, as many as cores in one
process (security.md S33).

The first is a row of the database (store/leases.py). The second bounds what one process holds in memory.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import NoReturn
from uuid import UUID

from ehr.intake.problems import RECORDS_BUSY
from kernel.clock import Clock
from kernel.problems import ProblemError, ProblemType, Refused
from store import leases
from store.database import Store, Tx
from store.leases import Lease

RETRY_AFTER_SECONDS = 2
_QUEUE_PER_SLOT = 2


class ImportSlots:
    """Slots and a queue twice as long; whoever comes then, or comes twice, is told to come back."""

    def __init__(
        self, kind: str = "import", slots: int | None = None, problem: ProblemType = RECORDS_BUSY
    ) -> None:
        self._kind = kind
        self._problem = problem
        self._slots = slots or os.cpu_count() or 1
        self._turns = asyncio.Semaphore(self._slots)
        self._inside = 0

    async def take(self, tx: Tx, actor_id: UUID, now: datetime) -> Lease:
        """Take the one place of an actor; the last statement of its transaction. Raises `records-busy`."""
        lease = await leases.take(tx, actor_id, self._kind, now)
        return lease if lease is not None else self._refuse()

    @asynccontextmanager
    async def of(self, store: Store, clock: Clock, actor_id: UUID) -> AsyncIterator[None]:
        """Hold the one place of an actor, from before a body is read; never within a transaction.

        Raises `records-busy`.
        """
        async with store.transaction() as tx:
            lease = await self.take(tx, actor_id, clock.now())
        async with leases.keep(store, clock, lease):
            yield

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a slot once the body is there: a slow sender holds up nobody. Raises `records-busy`."""
        with self.expected():
            async with self._turns:
                yield

    @contextmanager
    def expected(self) -> Iterator[None]:
        """Keep a place of slots and queue while it is found out whose it is. Raises `records-busy`."""
        if self._inside >= self._slots * (1 + _QUEUE_PER_SLOT):
            self._refuse()
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    def _refuse(self) -> NoReturn:
        raise ProblemError(Refused(problem=self._problem, retry_after_seconds=RETRY_AFTER_SECONDS))
