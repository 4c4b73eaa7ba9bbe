"""security.md S22: what PostgreSQL writes into its own log when statements fail."""

import asyncio
import contextlib
import secrets

import asyncpg

from store.database import Connection
from store.postgres import LOG_SETTINGS, Server


def seed() -> str:
    """A value that stands nowhere else, like a diagnosis, a name or a code."""
    return f"seed{secrets.token_hex(8)}"


async def fail(connection: Connection, statement: str, *args: object) -> None:
    with contextlib.suppress(asyncpg.PostgresError):
        await connection.execute(statement, *args)
        raise AssertionError(f"no error: {statement}")


async def test_s22_failing_statements_leave_no_value_in_the_server_log(server: Server, database: str) -> None:
    seeds = [seed() for _ in range(12)]
    connection = await asyncpg.connect(server.dsn("hb_owner", database))
    await connection.execute(
        "CREATE TABLE probe (id text PRIMARY KEY, n int CHECK (n > 0), note text NOT NULL)"
    )
    await connection.execute("CREATE TABLE probe_child (id text REFERENCES probe (id))")
    insert = "INSERT INTO probe VALUES ($1, $2, $3)"
    await connection.execute(insert, seeds[0], 1, seeds[1])
    await fail(connection, insert, seeds[2], -5, seeds[3])  # CHECK
    await fail(connection, insert, seeds[0], 1, seeds[4])  # unique
    await fail(connection, insert, seeds[5], 1, None)  # NOT NULL
    await fail(connection, "INSERT INTO probe_child VALUES ($1)", seeds[6])  # foreign key
    await fail(connection, "SELECT $1::text::integer", seeds[7])  # cast of a parameter
    await fail(connection, f"SELECT '{seeds[8]}'::date")  # cast of a literal
    await fail(connection, f"SELECT 1 FROM '{seeds[9]}'")  # syntax
    await connection.execute("SET statement_timeout = '10ms'")
    await fail(connection, "SELECT pg_sleep(1), $1::text", seeds[10])  # timeout
    await connection.execute("SET statement_timeout = 0")
    await deadlock(server, database, seeds[0], seeds[11])
    await connection.close()
    log = server.log.read_text()
    assert [value for value in seeds if value in log] == []


async def deadlock(server: Server, database: str, first: str, second: str) -> None:
    """Two transactions update two rows in opposite order, the values as literals in the text."""
    one = await asyncpg.connect(server.dsn("hb_owner", database))
    two = await asyncpg.connect(server.dsn("hb_owner", database))
    await one.execute(f"INSERT INTO probe VALUES ('{second}', 1, '')")
    await one.execute("BEGIN")
    await two.execute("BEGIN")
    await one.execute(f"UPDATE probe SET n = 2 WHERE id = '{first}'")
    await two.execute(f"UPDATE probe SET n = 2 WHERE id = '{second}'")
    ended = await asyncio.gather(
        one.execute(f"UPDATE probe SET n = 3 WHERE id = '{second}'"),
        two.execute(f"UPDATE probe SET n = 3 WHERE id = '{first}'"),
        return_exceptions=True,
    )
    assert any(isinstance(result, asyncpg.DeadlockDetectedError) for result in ended)
    await one.close()
    await two.close()


async def test_s22_the_launcher_sets_every_log_setting(server: Server, database: str) -> None:
    connection = await asyncpg.connect(server.dsn("hb_api", database))
    for name, wanted in LOG_SETTINGS.items():
        shown = await connection.fetchval(f"SHOW {name}")
        assert shown == wanted, name
    await connection.close()
