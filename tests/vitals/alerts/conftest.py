"""A person with a phone, relatives and a worker, in a database of the test's own: timers are everybody's."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.keys import KeyRing
from store.postgres import Server
from tests.support.clock import FrozenClock
from tests.support.telling import House, make_house


@pytest.fixture
async def house(
    server: Server,
    make_database: Callable[[], Awaitable[str]],
    keys: KeyRing,
    blobs: FilesystemBlobs,
    clock: FrozenClock,
) -> AsyncIterator[House]:
    name = await make_database()
    opened: list[Store] = [
        await open_store(server.dsn(role, name), role=role, keys=keys, blobs=blobs)
        for role in ("hb_api", "hb_owner", "hb_delivery")
    ]
    yield await make_house(*opened, clock)
    for one in opened:
        await one.close()
