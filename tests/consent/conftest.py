"""Who meets in these tests: a person, a doctor of a facility, and the API that serves both."""

from collections.abc import AsyncIterator

import httpx
import pytest

from identity.models import Facility
from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.keys import KeyRing
from store.postgres import Server
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


@pytest.fixture
async def doctor(store: Store, clock: FrozenClock) -> Doctor:
    return await make_doctor(store, clock, await make_facility(store, clock))


@pytest.fixture
async def people(store: Store, clock: FrozenClock) -> tuple[Doctor, Citizen, Facility]:
    facility = await make_facility(store, clock)
    return await make_doctor(store, clock, facility), await make_citizen(store, clock), facility


@pytest.fixture(scope="module")
async def wide(server: Server, database: str, keys: KeyRing, blobs: FilesystemBlobs) -> AsyncIterator[Store]:
    """A store with twenty connections, so that attempts truly run beside each other."""
    opened = await open_store(
        server.dsn("hb_api", database), role="hb_api", keys=keys, blobs=blobs, pool_min=20, pool_max=20
    )
    yield opened
    await opened.close()
