"""`migrate --distribute`: order, refusals and repetition, on a stand-in for what it asks of Citus."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from store import migrate as runner
from store.database import Connection
from store.distribute import Spreading, prepare_cluster_roles
from store.migrate import migrate
from store.migration_files import MIGRATIONS, MigrationError, read_migrations, standing_tables
from store.postgres import Server
from tests.support.clock import START

STAND_IN = Path(__file__).parents[1] / "support" / "citus_stand_in.sql"
HEADERS = standing_tables(read_migrations())
_KEYS = (
    "SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE contype = 'f' AND conparentid = 0 ORDER BY 1, 2"
)


@pytest.fixture
async def plain(server: Server, make_database: Callable[[], Awaitable[str]]) -> str:
    """A migrated database without any Citus."""
    return server.dsn("hb_owner", await make_database())


@pytest.fixture
async def cluster(plain: str) -> AsyncIterator[tuple[str, Connection]]:
    """A migrated database on what says it is a cluster's coordinator."""
    connection = await asyncpg.connect(plain)
    await connection.execute(STAND_IN.read_text())
    yield plain, connection
    await connection.close()


async def placed(connection: Connection) -> dict[str, str | None]:
    rows = await connection.fetch("SELECT logicalrelid::text, partkey FROM pg_dist_partition")
    return {row[0]: row[1] for row in rows}


async def test_every_table_is_spread_by_its_header_and_every_key_is_put_back(
    cluster: tuple[str, Connection],
) -> None:
    dsn, connection = cluster
    keys = await connection.fetch(_KEYS)
    said: list[str] = []
    assert await migrate(dsn, START, spreading=Spreading(said.append)) == []
    wanted = {h.table: None if h.group is None else h.distribute for h in HEADERS if h.distribute != "local"}
    assert await placed(connection) == wanted
    assert await connection.fetch(_KEYS) == keys
    assert await connection.fetchval("SELECT count(*) FROM foreign_key_apart") == 0
    assert len([line for line in said if line.startswith("spread ")]) == len(wanted)


async def test_a_second_run_finds_nothing_to_do(cluster: tuple[str, Connection]) -> None:
    dsn, connection = cluster
    await migrate(dsn, START, spreading=Spreading())
    keys = await connection.fetch(_KEYS)
    said: list[str] = []
    assert await migrate(dsn, START, spreading=Spreading(said.append)) == []
    assert said == []
    assert await connection.fetch(_KEYS) == keys
    assert await migrate(dsn, START) == []


class StoppedError(Exception):
    """The process ended here."""


@pytest.mark.parametrize("steps", [1, 130, 300])
async def test_a_run_that_stopped_anywhere_is_made_again_to_its_end(
    cluster: tuple[str, Connection], steps: int
) -> None:
    dsn, connection = cluster
    keys = await connection.fetch(_KEYS)
    left = steps

    def stop(_: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise StoppedError

    with pytest.raises(StoppedError):
        await migrate(dsn, START, spreading=Spreading(stop))
    with pytest.raises(MigrationError, match="by half"):
        await migrate(dsn, START)
    await migrate(dsn, START, spreading=Spreading())
    assert await connection.fetch(_KEYS) == keys
    assert await connection.fetchval("SELECT count(*) FROM foreign_key_apart") == 0
    assert len(await placed(connection)) == len([h for h in HEADERS if h.distribute != "local"])


# What is changed, how that is undone, and what is said of it.
REFUSED = [
    (
        "UPDATE pg_dist_local_group SET groupid = 2",
        "UPDATE pg_dist_local_group SET groupid = 0",
        "worker of the cluster",
    ),
    (
        "UPDATE pg_dist_node SET shouldhaveshards = false WHERE groupid = 1",
        "UPDATE pg_dist_node SET shouldhaveshards = true WHERE groupid = 1",
        "may hold shards",
    ),
    (
        "UPDATE pg_dist_node SET isactive = false",
        "UPDATE pg_dist_node SET isactive = true",
        "may hold shards",
    ),
    (
        "INSERT INTO schema_migration VALUES (9999, '9999_x_y.sql', '', now())",
        "DELETE FROM schema_migration WHERE version = 9999",
        "newer release",
    ),
    *(
        (f"INSERT INTO pg_dist_partition VALUES {rows}", "DELETE FROM pg_dist_partition", said)
        for rows, said in (
            ("('outbox', 'h', 'bucket', 7, 's')", "due_queue, its group's first, is not"),
            ("('citizen', 'n', NULL, 1, 't')", "citizen lies by None"),
            (
                "('citizen', 'h', 'patient_id', 2, 's'), ('consent_grant', 'h', 'patient_id', 3, 's')",
                "consent_grant does not lie beside citizen",
            ),
            ("('journal_line', 'h', 'seq', 2, 's')", "journal_line lies by seq"),
        )
    ),
    (
        "CREATE OR REPLACE FUNCTION citus_version() RETURNS text LANGUAGE sql AS"
        " $$ SELECT 'Citus 12.1.3 on x' $$",
        "SELECT 1",
        "13.1 or newer",
    ),
]


async def test_what_is_not_ready_or_lies_otherwise_is_refused_and_nothing_moves(
    cluster: tuple[str, Connection],
) -> None:
    dsn, connection = cluster
    keys = await connection.fetch(_KEYS)
    for before, undone, said in REFUSED:
        await connection.execute(before)
        there = await placed(connection)
        with pytest.raises(MigrationError, match=said):
            await migrate(dsn, START, spreading=Spreading())
        assert await connection.fetch(_KEYS) == keys
        assert await placed(connection) == there
        await connection.execute(undone)


async def test_without_citus_it_says_what_to_do(plain: str) -> None:
    with pytest.raises(MigrationError, match="CREATE EXTENSION citus"):
        await migrate(plain, START, spreading=Spreading())


async def test_citus_alone_spreads_nothing(cluster: tuple[str, Connection]) -> None:
    dsn, connection = cluster
    await migrate(dsn, START)
    assert await placed(connection) == {}


async def test_a_later_migrations_tables_are_spread_before_its_keys(
    cluster: tuple[str, Connection], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn, connection = cluster
    await migrate(dsn, START, spreading=Spreading())
    for path in MIGRATIONS.glob("*.sql"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "9000_store_later.sql").write_text(
        "-- table: later distribute: patient_id with citizen\n"
        "CREATE TABLE later (patient_id uuid NOT NULL, n integer NOT NULL, PRIMARY KEY (patient_id, n));\n"
    )
    (tmp_path / "9001_store_later_fk.sql").write_text(
        "ALTER TABLE later ADD CONSTRAINT later_citizen_fk\n"
        "    FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);\n"
    )
    monkeypatch.setattr(runner, "read_migrations", lambda: read_migrations(tmp_path))
    assert await migrate(dsn, START) == ["9000_store_later.sql", "9001_store_later_fk.sql"]
    assert (await placed(connection))["later"] == "patient_id"


async def test_what_this_user_may_not_give_a_role_is_said_for_a_superuser(plain: str) -> None:
    connection = await asyncpg.connect(plain)
    left = await prepare_cluster_roles(connection)
    await connection.close()
    assert 'ALTER ROLE "hb_api" SET citus.override_table_visibility = off' in left
