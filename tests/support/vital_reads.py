"""A person whose measurements are kept and then read over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import count
from typing import Any

import httpx

from store.database import Store
from tests.support.batches import taken
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen
from vitals.intake.service import store_batch
from vitals.wire import Ack

BASE = "/v1/me/vitals"


class Book:
    """One person's own hands: what is kept, and what is read."""

    def __init__(self, store: Store, clock: FrozenClock, client: httpx.AsyncClient, citizen: Citizen) -> None:
        self.store, self.clock, self.client, self.citizen = store, clock, client, citizen
        self._seqs = count(1)

    async def keep(self, *samples: dict[str, Any], at: datetime | None = None, **more: Any) -> Ack:
        """A batch, stored; nothing of it may be refused. at: when it came."""
        now = at or self.clock.now()
        accepted = taken(*samples, seq=next(self._seqs), now=now, sent_at=now.isoformat(), **more)
        assert list(accepted.rejected) == [], accepted.rejected
        async with self.store.transaction() as tx:
            ack = await store_batch(tx, self.citizen.patient_id, None, accepted, now)
        assert isinstance(ack, Ack), ack
        return ack

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.client.get(BASE + path, params=params, headers=bearer(self.citizen.token))

    async def delete(self, **wish: Any) -> httpx.Response:
        return await self.client.post(BASE + "/deletions", json=wish, headers=bearer(self.citizen.token))

    async def said(self, path: str, **params: Any) -> dict[str, Any]:
        answer = await self.get(path, **params)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


@asynccontextmanager
async def book_of(store: Store, clock: FrozenClock) -> AsyncIterator[Book]:
    async with client_of(store, clock) as client:
        yield Book(store, clock, client, await make_citizen(store, clock))
