"""One database under both of its roles, for tests that start a security epoch: it ends what others left."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from store.blobs import BlobStore
from store.database import Store, open_store
from store.epoch import Epoch, start_epoch
from store.keys import KeyRing
from store.postgres import Server
from tests.support.clock import FrozenClock


class Own(NamedTuple):
    """A database of the test's own: as the program and as its owner."""

    store: Store
    owner: Store


@asynccontextmanager
async def own_database(
    server: Server, make_database: Callable[[], Awaitable[str]], keys: KeyRing, blobs: BlobStore
) -> AsyncIterator[Own]:
    name = await make_database()
    store = await open_store(server.dsn("hb_api", name), role="hb_api", keys=keys, blobs=blobs)
    owner = await open_store(server.dsn("hb_owner", name), role="hb_owner", keys=keys, blobs=blobs)
    try:
        yield Own(store, owner)
    finally:
        await store.close()
        await owner.close()


async def new_epoch(owner: Store, clock: FrozenClock) -> Epoch:
    """As the recovery of a restored database begins."""
    async with owner.transaction() as tx:
        return await start_epoch(tx, clock.now())
