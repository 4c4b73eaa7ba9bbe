"""One PostgreSQL per test process, one migrated template, a copy of it per module or test."""

import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.keys import KeyRing
from store.migrate import migrate
from store.postgres import Server, start_server
from tests.support.clock import START, FrozenClock
from tests.support.service import demo_of_the_run

# The tests start some hundred processes: each would compile the sources anew, and this one every test file.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# How long an example takes on a busy machine says nothing of the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The embedded PostgreSQL with the settings that only a test may have."""
    directory = Path(tempfile.mkdtemp(prefix="hbt-"))
    running = start_server(directory, settings=FAST)
    yield running
    running.stop()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    return KeyRing.create(tmp_path_factory.mktemp("keys"), demo=True)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture(scope="session")
async def template(server: Server) -> str:
    """The name of a migrated database that nobody is connected to."""
    await _execute(server, "CREATE DATABASE template_migrated")
    await migrate(server.dsn("hb_owner", "template_migrated"), START)
    return "template_migrated"


@pytest.fixture(scope="session")
async def make_database(server: Server, template: str) -> Callable[[], Awaitable[str]]:
    """Make a migrated database and return its name."""

    async def make() -> str:
        name = f"t_{secrets.token_hex(6)}"
        await _execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    return make


@pytest.fixture(scope="session")
async def make_empty_database(server: Server) -> Callable[[], Awaitable[str]]:
    """Make a database without any table and return its name."""

    async def make() -> str:
        name = f"e_{secrets.token_hex(6)}"
        await _execute(server, f"CREATE DATABASE {name}")
        return name

    return make


@pytest.fixture(scope="module")
async def database(server: Server, make_database: Callable[[], Awaitable[str]]) -> AsyncIterator[str]:
    """The database that the tests of one module share."""
    name = await make_database()
    yield name
    await _drop(server, name)


@pytest.fixture(scope="session")
def blobs(tmp_path_factory: pytest.TempPathFactory, keys: KeyRing) -> FilesystemBlobs:
    return FilesystemBlobs(tmp_path_factory.mktemp("blobs"), keys)


@pytest.fixture(scope="module")
async def store(server: Server, database: str, keys: KeyRing, blobs: FilesystemBlobs) -> AsyncIterator[Store]:
    """As hb_api, on the module's database: make new people in each test."""
    opened = await open_store(server.dsn("hb_api", database), role="hb_api", keys=keys, blobs=blobs)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
async def owner(server: Server, database: str, keys: KeyRing, blobs: FilesystemBlobs) -> AsyncIterator[Store]:
    """As hb_owner, on the same database as `store`."""
    opened = await open_store(server.dsn("hb_owner", database), role="hb_owner", keys=keys, blobs=blobs)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
async def delivery(
    server: Server, database: str, keys: KeyRing, blobs: FilesystemBlobs
) -> AsyncIterator[Store]:
    """As hb_delivery, on the same database as `store`: the worker's half that sends."""
    opened = await open_store(server.dsn("hb_delivery", database), role="hb_delivery", keys=keys, blobs=blobs)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def untouched(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Path]:
    """The demo that all are copies of: nothing is ever served from it."""
    own = tmp_path_factory.getbasetemp()
    with demo_of_the_run((own if worker_id == "master" else own.parent) / "demo") as data:
        yield data


@pytest.fixture(scope="module")
def place(untouched: Path) -> Iterator[Path]:
    """The data directory of a demo that one file has for itself."""
    directory = Path(tempfile.mkdtemp(prefix="hbj-"))
    shutil.copytree(untouched, directory / "data")
    yield directory / "data"
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
async def fresh_store(
    server: Server, make_database: Callable[[], Awaitable[str]], keys: KeyRing, blobs: FilesystemBlobs
) -> AsyncIterator[Store]:
    """As hb_api, on a database of its own."""
    name = await make_database()
    opened = await open_store(server.dsn("hb_api", name), role="hb_api", keys=keys, blobs=blobs)
    yield opened
    await opened.close()
    await _drop(server, name)


@pytest.fixture
async def fresh_owner(
    server: Server, make_database: Callable[[], Awaitable[str]], keys: KeyRing, blobs: FilesystemBlobs
) -> AsyncIterator[Store]:
    """As hb_owner, on a database of its own: reads every table of what happened there and nowhere else."""
    name = await make_database()
    opened = await open_store(server.dsn("hb_owner", name), role="hb_owner", keys=keys, blobs=blobs)
    yield opened
    await opened.close()
    await _drop(server, name)


async def _drop(server: Server, name: str) -> None:
    """Take its thousands of files away before they reach the disk; whoever still uses it may go on."""
    with suppress(asyncpg.ObjectInUseError):
        await _execute(server, f"DROP DATABASE {name}")


async def _execute(server: Server, statement: str) -> None:
    connection = await asyncpg.connect(server.dsn("hb_owner"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
