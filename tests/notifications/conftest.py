"""The store as the worker's delivery half holds it."""

from collections.abc import AsyncIterator

import pytest

from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.keys import KeyRing
from store.postgres import Server


@pytest.fixture(scope="module")
async def delivery(
    server: Server, database: str, keys: KeyRing, blobs: FilesystemBlobs
) -> AsyncIterator[Store]:
    """As hb_delivery, on the same database as `store`."""
    opened = await open_store(server.dsn("hb_delivery", database), role="hb_delivery", keys=keys, blobs=blobs)
    yield opened
    await opened.close()
