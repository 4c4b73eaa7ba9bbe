"""Migrations beside a service that works: a lock that is not to be had is waited for in short turns."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from store import migrate as runner
from store.database import Connection
from store.migrate import migrate
from store.migration_files import MIGRATIONS, MigrationError, read_migrations
from store.postgres import Server
from tests.support.clock import START

CHANGE = "ALTER TABLE installation ADD COLUMN probe int;\n"
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'installation'::regclass"


@pytest.fixture
async def dsn(server: Server, make_database: Callable[[], Awaitable[str]]) -> str:
    return server.dsn("hb_owner", await make_database())


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """One more migration than there are, with that text."""

    def add(text: str) -> None:
        shutil.copytree(MIGRATIONS, tmp_path, dirs_exist_ok=True)
        (tmp_path / "9999_store_probe.sql").write_text(text)
        monkeypatch.setattr(runner, "read_migrations", lambda: read_migrations(tmp_path))

    monkeypatch.setattr(runner, "LOCK_TIMEOUT_MILLISECONDS", 100, raising=False)
    monkeypatch.setattr(runner, "LOCK_PAUSE_SECONDS", 0.01, raising=False)
    return add


@asynccontextmanager
async def read_under_way(dsn: str) -> AsyncIterator[Connection]:
    """A transaction that has read what the migration changes."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute("SELECT count(*) FROM installation")
            yield connection
    finally:
        await connection.close()


async def was_applied(dsn: str) -> bool:
    connection = await asyncpg.connect(dsn)
    try:
        column = (
            "SELECT true FROM pg_attribute WHERE attrelid = 'installation'::regclass AND attname = 'probe'"
        )
        row = "SELECT true FROM schema_migration WHERE version = 9999"
        return await connection.fetchval(column) is True and await connection.fetchval(row) is True
    finally:
        await connection.close()


@pytest.mark.parametrize("text", [CHANGE, f"-- no-transaction\n{CHANGE}"], ids=["one piece", "apart"])
async def test_a_lock_that_others_keep_is_given_up_in_words_and_nothing_is_half_done(
    dsn: str, add: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    add(text)
    monkeypatch.setattr(runner, "LOCK_TRIES", 2, raising=False)
    async with read_under_way(dsn):
        with pytest.raises(MigrationError, match=r"9999_store_probe\.sql.*in use"):
            await asyncio.wait_for(migrate(dsn, START), 60)
        assert not await was_applied(dsn)
    assert await migrate(dsn, START) == ["9999_store_probe.sql"]
    assert await was_applied(dsn)


async def test_between_two_tries_everybody_else_goes_on(
    dsn: str, add: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    add(CHANGE)
    monkeypatch.setattr(runner, "LOCK_TRIES", 1000, raising=False)
    async with read_under_way(dsn) as connection:
        running = asyncio.create_task(migrate(dsn, START))
        while not await connection.fetchval(WAITING):
            pass
        other = await asyncpg.connect(dsn)
        for _ in range(3):
            # It queues behind the migration that waits for us, and would until we end.
            await asyncio.wait_for(other.execute("SELECT count(*) FROM installation"), 30)
        await other.close()
        assert not running.done()
    assert await asyncio.wait_for(running, 60) == ["9999_store_probe.sql"]


async def test_an_older_program_leaves_the_rights_of_a_newer_one_as_they_are(dsn: str) -> None:
    """Beside it, or after it when an update is taken back: a table that it does not know is not its own."""
    owner = await asyncpg.connect(dsn)
    await owner.execute("SET ROLE hb_owner")
    await owner.execute("CREATE TABLE later (id int PRIMARY KEY)")
    await owner.execute("GRANT SELECT ON later TO hb_api")
    await owner.execute(
        "INSERT INTO schema_migration (version, name, sha256, applied_at) VALUES (9998, 'l', '', now())"
    )
    assert await migrate(dsn, START) == []
    assert await owner.fetchval("SELECT has_table_privilege('hb_api', 'later', 'SELECT')") is True
    await owner.close()
