"""A real Citus cluster, where CITUS_URL names one (tests/support/cluster.py): the tables are spread there,
and it plans every statement that the static tests let through. The journeys are gone there as well."""

from pathlib import Path

import asyncpg
import pytest

from store.distribute import placed_tables
from store.migration_files import read_migrations, standing_tables
from tests.support.cluster import address, addresses, empty_cluster, needs_citus, run_long
from tests.support.service import environment
from tests.support.sql import constants

pytestmark = [pytest.mark.citus, needs_citus]


@pytest.fixture(scope="module")
async def spread(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The cluster with this release's tables; returns what was said."""
    await empty_cluster()
    return distribute(tmp_path_factory.mktemp("spread"))


def distribute(data: Path) -> str:
    done = run_long(environment(data, **addresses()), "migrate", "--distribute", "--shards", "8")
    return done.stdout.decode()


async def test_every_table_lies_where_its_migration_says(spread: str, tmp_path: Path) -> None:
    connection = await asyncpg.connect(address("hb_owner"))
    try:
        placed = await placed_tables(connection)
        keys = await connection.fetchval("SELECT count(*) FROM pg_constraint WHERE contype = 'f'")
    finally:
        await connection.close()
    headers = [one for one in standing_tables(read_migrations()) if one.distribute != "local"]
    assert {one.table for one in headers} == set(placed)
    assert keys > 0
    assert "spread citizen (" in spread
    assert "spread " not in distribute(tmp_path)


async def test_the_cluster_plans_every_statement(spread: str) -> None:
    connection = await asyncpg.connect(
        address("hb_owner"), server_settings={"citus.override_table_visibility": "off"}
    )
    refused = {}
    for named in constants():
        if named.constant.sql.startswith("CREATE "):
            continue
        taken = len((await connection.prepare(named.constant.sql)).get_parameters())
        nulls = f"({', '.join(['NULL'] * taken)})" if taken else ""
        try:
            async with connection.transaction():
                await connection.execute(f"PREPARE probe AS {named.constant.sql}")
                await connection.execute(f"EXPLAIN EXECUTE probe{nulls}")
        except asyncpg.PostgresError as error:
            refused[named.name] = str(error)
        await connection.execute("DEALLOCATE ALL")
    await connection.close()
    assert refused == {}
