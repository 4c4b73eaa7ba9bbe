"""Deliveries leave beside the worker's rounds, each channel by itself: a provider that hangs holds up neither
what is due nor the other channel."""

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from healthbook.rounds import IDLE_MAX_SECONDS, IDLE_MIN_SECONDS, class_of, each_abreast, together, wait
from kernel.clock import Clock
from notifications.breaker import HELD
from notifications.delivery import (
    CHANNELS,
    Senders,
    buckets_to_drain,
    claim_batch,
    send_batch,
    settle_batch,
)
from notifications.models import Channel, Outcome
from store.database import Store

log = structlog.get_logger("worker")


class Drain:
    """What drains some channels. store: as hb_delivery."""

    def __init__(
        self, store: Store, senders: Senders, clock: Clock, channels: Sequence[Channel] = CHANNELS
    ) -> None:
        self._store, self._senders, self._clock, self._channels = store, senders, clock, channels
        self._stop = asyncio.Event()
        self._look = asyncio.Event()
        self._rests_until: datetime | None = None

    def look(self) -> None:
        """Something may have been written: look now rather than after the next sleep."""
        self._look.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; the batches under way are sent and settled."""
        self._stop, idle = stop, IDLE_MIN_SECONDS
        while not stop.is_set():
            self._look.clear()
            try:
                done = await self.run_once()
            except Exception as error:
                log.error("drain_failed", channels=self._channels, **class_of(error))
                done, idle = 0, IDLE_MAX_SECONDS
            if done:
                idle = IDLE_MIN_SECONDS
                continue
            woken = await wait(self._look, idle)
            idle = IDLE_MIN_SECONDS if woken else min(IDLE_MAX_SECONDS, idle * 2)

    async def run_once(self) -> int:
        """Every bucket that holds something to send. Returns how many deliveries were taken."""
        if self._rests():
            return 0
        async with self._store.transaction() as tx:
            waiting = await buckets_to_drain(tx, self._clock.now(), self._channels)
        return await each_abreast(self._stop, together(waiting), self.drain)

    async def drain(self, buckets: Sequence[int]) -> int:
        """Claim of some buckets, send outside any transaction, settle."""
        if self._rests():
            return 0
        async with self._store.transaction() as tx:
            batch = await claim_batch(tx, self._store.keys, buckets, self._clock.now(), self._channels)
        if not batch:
            return 0
        outcomes = await send_batch(self._senders, batch)
        jitter = random.random()  # noqa: S311 - spreads retries, guards nothing
        async with self._store.transaction() as tx:
            await settle_batch(tx, batch, outcomes, self._clock.now(), jitter)
        self._rest(outcomes)
        return len(batch)

    def _rests(self) -> bool:
        return self._rests_until is not None and self._clock.now() < self._rests_until

    def _rest(self, outcomes: Sequence[Outcome]) -> None:
        """While its way is shut a channel claims nothing: what waits would only be written back again."""
        held = [one.retry_after_seconds or 0 for one in outcomes if one.error_code == HELD]
        if held and len(self._channels) == 1 and not any(one.status == "sent" for one in outcomes):
            self._rests_until = self._clock.now() + timedelta(seconds=min(held))
