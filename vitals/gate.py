"""How much a process takes in at once: batches in flight, and batches of one device and person in a time.

All are of one process. What is refused has cost nothing yet: the phone keeps its batch and comes again.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from math import ceil
from typing import Final, NamedTuple
from uuid import UUID
from weakref import WeakValueDictionary

from kernel.problems import ProblemError, Refused
from vitals.problems import BATCHES_BUSY

PER_CONNECTION: Final = 2
# In flight of one session: batches of one person wait for each other, and each would hold a connection.
OF_ONE: Final = 2
WAIT_SECONDS: Final = 0.5
# A phone that comes home after weeks sends its backlog in some hundred batches.
BURST: Final = 300
PER_SECOND: Final = 10
# As much as so many devices at once: names of devices are anybody's to make up.
DEVICES_AT_ONCE: Final = 4
DEVICES_MAX: Final = 10_000
_JITTER_SECONDS: Final = 5


class _Bucket(NamedTuple):
    tokens: float
    at: datetime


class BatchGate:
    """connections: of the pool; twice as many batches are in flight, further ones wait half a second."""

    def __init__(self, connections: int, *, wait_seconds: float = WAIT_SECONDS, burst: int = BURST) -> None:
        self._turns = asyncio.Semaphore(PER_CONNECTION * connections)
        self._wait_seconds = wait_seconds
        self._burst = burst
        self._buckets: OrderedDict[tuple[UUID, str], _Bucket] = OrderedDict()
        # Gone with the last batch that holds it.
        self._of_one: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, session: str = "") -> AsyncIterator[None]:
        """Wait for a place once the body is there: a slow sender holds up nobody. session: whose batches wait
        for each other before they wait for all others'. Raises `batches-busy`."""
        mine = self._of_one.setdefault(session, asyncio.Semaphore(OF_ONE)) if session else self._turns
        async with AsyncExitStack() as held:
            for turns in dict.fromkeys((mine, self._turns)):
                await self._acquire(turns)
                held.callback(turns.release)
            yield

    async def _acquire(self, turns: asyncio.Semaphore) -> None:
        try:
            if turns.locked():
                await asyncio.wait_for(turns.acquire(), self._wait_seconds)
            else:
                await turns.acquire()
        except TimeoutError:
            raise ProblemError(_busy(1)) from None

    def charge(self, actor_id: UUID, device: str, now: datetime) -> Refused | None:
        """Charge one batch of a device and of its person, or say when the next one may come."""
        return self._charge(actor_id, "", now, DEVICES_AT_ONCE) or self._charge(actor_id, device, now)

    def _charge(self, actor_id: UUID, device: str, now: datetime, times: int = 1) -> Refused | None:
        key, burst, per_second = (actor_id, device), self._burst * times, PER_SECOND * times
        tokens, at = self._buckets.pop(key, _Bucket(burst, now))
        tokens = min(burst, tokens + max(0.0, (now - at).total_seconds()) * per_second)
        enough = tokens >= 1
        self._buckets[key] = _Bucket(tokens - 1 if enough else tokens, now)
        if len(self._buckets) > DEVICES_MAX:
            self._buckets.popitem(last=False)
        return None if enough else _busy(ceil((1 - tokens) / per_second))


def _busy(seconds: int) -> Refused:
    """With some seconds more for some: they do not all come back at once."""
    return Refused(problem=BATCHES_BUSY, retry_after_seconds=seconds + secrets.randbelow(_JITTER_SECONDS))
