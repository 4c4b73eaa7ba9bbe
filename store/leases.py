"""One at a time for each actor, over all processes: a row that says who works until when (security.md S33).

Taken in a short transaction that commits before the work begins, renewed while it lasts, freed at its end
whatever that is. A process that was killed frees nothing: its lease runs out.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from kernel.clock import Clock
from kernel.ids import uuid7
from store import queries
from store.database import TROUBLE, Store, Tx

LEASE: Final = timedelta(minutes=1)
RENEWED_EVERY_SECONDS: Final = 20


class Lease(Struct, frozen=True):
    """The right of one actor to one piece of work of a kind."""

    actor_id: UUID
    kind: str
    token: UUID


async def take(tx: Tx, actor_id: UUID, kind: str, now: datetime) -> Lease | None:
    """The lease, or None while somebody holds it. Nobody else learns of it before the transaction commits."""
    lease = Lease(actor_id, kind, uuid7(now))
    taken = await queries.TAKE_LEASE.one(tx, actor_id, kind, lease.token, now, now + LEASE)
    return lease if taken else None


@asynccontextmanager
async def keep(store: Store, clock: Clock, lease: Lease) -> AsyncIterator[None]:
    """Hold a lease that was taken and committed for as long as the work lasts, and free it then."""
    renewing = asyncio.create_task(_renew(store, clock, lease))
    try:
        yield
    finally:
        renewing.cancel()
        # A second cancellation must not keep the row.
        await asyncio.shield(_free(store, lease))


async def forget(tx: Tx, before: datetime, limit: int) -> int:
    """Remove what killed processes left, of at most `limit` actors. Returns how many went."""
    return await queries.FORGET_LEASES.one(tx, before, limit) or 0


async def _renew(store: Store, clock: Clock, lease: Lease) -> None:
    """What cannot be renewed now is tried again; one that another has taken since stays the other's."""
    while True:
        await asyncio.sleep(RENEWED_EVERY_SECONDS)
        with suppress(*TROUBLE):
            async with store.transaction() as tx:
                until = clock.now() + LEASE
                await queries.RENEW_LEASE.run(tx, lease.actor_id, lease.kind, lease.token, until)


async def _free(store: Store, lease: Lease) -> None:
    """The work is done and its answer stands: a lease that cannot be freed now runs out."""
    with suppress(*TROUBLE):
        async with store.transaction() as tx:
            await queries.FREE_LEASE.run(tx, lease.actor_id, lease.kind, lease.token)
