"""The move of a filled database, rehearsed on plain PostgreSQL: row for row the same, and served from there.

The target says it is a cluster (tests/support/citus_stand_in.sql); what a real one makes of it is tried by
the journeys where CITUS_URL names one.
"""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from healthbook.cluster import queries
from healthbook.demo_sheet import load_sheet
from store.distribute import Spreading
from store.migrate import migrate
from store.postgres import Server, start_server
from tests.support.client import Api, App, Staff
from tests.support.clock import START
from tests.support.service import environment, free_port, run_command_with, start_service

STAND_IN = Path(__file__).parents[1] / "support" / "citus_stand_in.sql"
_TABLES = (
    "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
    " AND NOT relispartition AND relname !~ '^pg_dist_' ORDER BY 1"
)

_SERVER = re.compile(r"[0-9]+/[0-9A-F]{8}")


@pytest.fixture
async def target(server: Server, make_database: Callable[[], Awaitable[str]]) -> str:
    """The name of an empty database of this release, spread over what says it is a cluster."""
    name = await make_database()
    connection = await asyncpg.connect(server.dsn("hb_owner", name))
    await connection.execute(STAND_IN.read_text())
    await connection.close()
    await migrate(server.dsn("hb_owner", name), START, spreading=Spreading())
    return name


async def rows_of(dsn: str) -> dict[str, list[str]]:
    """Every row of every table as text, in order: compared without a digest of ours."""
    connection = await asyncpg.connect(dsn, server_settings={"timezone": "UTC"})
    try:
        tables = [row[0] for row in await connection.fetch(_TABLES)]
        return {
            table: [row[0] for row in await connection.fetch(f"SELECT t::text FROM {table} t ORDER BY 1")]
            for table in tables
        }
    finally:
        await connection.close()


def addresses(server: Server, name: str) -> dict[str, str]:
    return {
        "DATABASE_URL": server.dsn("hb_api", name),
        "DATABASE_OWNER_URL": server.dsn("hb_owner", name),
        "DATABASE_DELIVERY_URL": server.dsn("hb_delivery", name),
        "DATABASE_SIGNER_URL": server.dsn("hb_signer", name),
    }


async def test_nothing_is_copied_while_somebody_serves(place: Path, server: Server, target: str) -> None:
    service = start_service(place, workers=1)
    try:
        copy = environment(place, DATABASE_COPY_URL=server.dsn("hb_owner", target))
        done = run_command_with(copy, "admin", "copy-database")
    finally:
        service.stop()
    assert done.returncode == 2
    assert "Stop serve, worker and signer first" in done.stderr.decode()


async def test_a_database_of_another_release_is_refused(
    place: Path, server: Server, make_empty_database: Callable[[], Awaitable[str]]
) -> None:
    name = await make_empty_database()
    done = run_command_with(
        environment(place, DATABASE_COPY_URL=server.dsn("hb_owner", name)), "admin", "copy-database"
    )
    assert done.returncode == 2
    assert "not of one release" in done.stderr.decode()
    unset = run_command_with(environment(place), "admin", "copy-database")
    assert unset.returncode == 2
    assert "DATABASE_COPY_URL" in unset.stderr.decode()


def test_the_embedded_database_is_no_cluster(place: Path) -> None:
    done = run_command_with(environment(place), "migrate", "--distribute")
    assert done.returncode == 2
    assert "The embedded PostgreSQL is one machine" in done.stderr.decode()


async def test_the_command_spreads_the_tables_and_says_what_is_left(
    place: Path, server: Server, make_database: Callable[[], Awaitable[str]]
) -> None:
    name = await make_database()
    connection = await asyncpg.connect(server.dsn("hb_owner", name))
    await connection.execute(STAND_IN.read_text())
    await connection.close()
    done = run_command_with(environment(place, **addresses(server, name)), "migrate", "--distribute")
    assert done.returncode == 0, done.stderr.decode()
    said = done.stdout.decode()
    assert "spread citizen (" in said
    assert "Every table lies where its migration says." in said
    assert 'ALTER ROLE "hb_api" SET citus.override_table_visibility = off;' in said


# Last: from then on the journal knows of later acts than the demo's own database.
async def test_every_row_is_there_and_is_served_from_there(place: Path, server: Server, target: str) -> None:
    copy = environment(place, DATABASE_COPY_URL=server.dsn("hb_owner", target))
    done = run_command_with(copy, "admin", "copy-database")
    assert done.returncode == 0, done.stderr.decode()
    assert b"each the same as here" in done.stdout

    source = start_server(place / "postgres")
    try:
        here, there = await rows_of(source.dsn("hb_owner")), await rows_of(server.dsn("hb_owner", target))
    finally:
        source.stop()
    # When a migration was applied, and on which server it serves, is said by each side of itself.
    own = {"schema_migration", "installation"}
    ((marked,), (copied,)) = here["installation"], there["installation"]
    assert _SERVER.sub("", marked) == _SERVER.sub("", copied)
    assert _SERVER.findall(marked) != _SERVER.findall(copied)
    assert {table for table, rows in here.items() if rows} > {
        "citizen",
        "ehr_resource",
        "access_log",
        "phone",
    }
    assert {t: rows for t, rows in here.items() if t not in own} == {
        t: rows for t, rows in there.items() if t not in own
    }
    assert any("database:copy" in row for row in there["admin_event"])

    again = run_command_with(copy, "admin", "copy-database")
    assert again.returncode == 2
    assert "is not empty" in again.stderr.decode()

    sheet = load_sheet(place / "demo.json")
    service = start_service(place, workers=1, **addresses(server, target))
    try:
        api = Api(service.base_url)
        app = App.of_sheet(api, sheet.citizens[0])
        assert app.get("/v1/me")["patient_id"]
        Staff.sign_in(api, sheet.practitioners[0])
    finally:
        service.stop()
    # Two databases of one installation would part: the journal knows of what the other one did.
    old = run_command_with(environment(place, PORT=str(free_port())), "serve", "--no-worker")
    assert old.returncode == 2
    assert "Nothing is served before" in old.stderr.decode()


async def test_a_digest_tells_one_changed_value_and_not_the_order(
    server: Server, make_database: Callable[[], Awaitable[str]]
) -> None:
    connection = await asyncpg.connect(server.dsn("hb_owner", await make_database()))
    columns = [one for one in await queries.COLUMNS.all(connection) if one.on_table == "due_queue"]
    asked = queries.digest_of("due_queue", [one.hashed for one in columns])

    async def digest(rows: str) -> tuple[object, ...]:
        await connection.execute("TRUNCATE due_queue")
        await connection.execute(f"INSERT INTO due_queue (bucket, kind, ref, due_at) VALUES {rows}")
        return tuple(await connection.fetchrow(asked) or ())

    first, second = "(1, 'a', 'x', '2026-01-01 00:00+00')", "(2, 'a', 'y', '2026-01-01 00:00+00')"
    whole = await digest(f"{first}, {second}")
    assert whole == await digest(f"{second}, {first}")
    assert whole != await digest(f"{first}, {second.replace('00:00+', '00:01+')}")
    assert whole[0] == 2
    await connection.close()
