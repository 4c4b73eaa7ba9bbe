"""One person with prescriptions and a worker, in a database of the test's own: timers are everybody's."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.keys import KeyRing
from store.postgres import Server
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.reminding import Reminding, make_reminding


@pytest.fixture
async def here(
    server: Server,
    make_database: Callable[[], Awaitable[str]],
    keys: KeyRing,
    blobs: FilesystemBlobs,
    clock: FrozenClock,
) -> AsyncIterator[Reminding]:
    name = await make_database()
    opened: list[Store] = [
        await open_store(server.dsn(role, name), role=role, keys=keys, blobs=blobs)
        for role in ("hb_api", "hb_owner", "hb_delivery")
    ]
    async with client_of(opened[0], clock) as client:
        yield await make_reminding(*opened, clock, client)
    for one in opened:
        await one.close()
