"""security.md S21: what each role may do to each table, asked of the server itself.

rights.txt lists role by table: r SELECT, a INSERT, w UPDATE, d DELETE, - nothing. Nobody but
the owner truncates. A table that is not listed fails.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from store.database import Connection
from store.postgres import ROLES, Server

PROGRAM_ROLES = ("hb_api", "hb_delivery", "hb_stats", "hb_backup")
AUDIT_TABLES = ("access_log", "admin_event")
RECORD_TABLES = ("ehr_resource", "ehr_history", "ehr_head")
EXPECTED = {
    words[0]: dict(zip(PROGRAM_ROLES, words[1:], strict=True))
    for line in (Path(__file__).parent / "rights.txt").read_text().splitlines()
    if (words := line.split()) and not line.startswith("#")
}


@pytest.fixture(scope="module", params=PROGRAM_ROLES)
async def connected(
    request: pytest.FixtureRequest, server: Server, database: str
) -> AsyncIterator[tuple[str, Connection]]:
    connection = await asyncpg.connect(server.dsn(request.param, database))
    yield request.param, connection
    await connection.close()


async def tables_with_a_column(connection: Connection) -> list[tuple[str, str]]:
    rows = await connection.fetch(
        "SELECT c.relname::text, a.attname::text FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = 1"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
        " AND NOT c.relispartition ORDER BY 1"
    )
    return [(row[0], row[1]) for row in rows]


async def allowed(connection: Connection, statement: str) -> bool:
    """Does the server let this role run it? Nothing is kept, whatever it answers."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return False
    except asyncpg.PostgresError:
        return True
    finally:
        await transaction.rollback()
    return True


async def rights_of(connection: Connection, table: str, column: str) -> str:
    tries = {
        "r": f"SELECT 1 FROM {table} LIMIT 0",
        "a": f"INSERT INTO {table} DEFAULT VALUES",
        "w": f"UPDATE {table} SET {column} = NULL WHERE false",
        "d": f"DELETE FROM {table} WHERE false",
        "T": f"TRUNCATE {table}",
    }
    return (
        "".join([right for right, statement in tries.items() if await allowed(connection, statement)]) or "-"
    )


async def test_s21_each_role_has_exactly_the_listed_rights(connected: tuple[str, Connection]) -> None:
    role, connection = connected
    found = {t: await rights_of(connection, t, c) for t, c in await tables_with_a_column(connection)}
    assert found == {table: rights[role] for table, rights in EXPECTED.items()}


async def test_s21_delivery_learns_whether_a_book_is_open_and_nothing_else_of_its_person(
    server: Server, database: str
) -> None:
    connection = await asyncpg.connect(server.dsn("hb_delivery", database))
    assert await allowed(connection, "SELECT patient_id, state FROM citizen LIMIT 0")
    for column in ("demographics", "level", "created_at", "*"):
        assert not await allowed(connection, f"SELECT {column} FROM citizen LIMIT 0")
    await connection.close()


# The signer beside the others: it marks an issuance as signed, writes its own log, and reads no record.
SIGNER = {
    "certificate_issuance": "r",
    "document_signer": "r",
    "installation": "r",
    "signing_day": "raw",
    "signing_event": "ra",
    "signing_head": "raw",
}


async def test_s28_the_signer_has_exactly_its_rights(server: Server, database: str) -> None:
    connection = await asyncpg.connect(server.dsn("hb_signer", database))
    found = {t: await rights_of(connection, t, c) for t, c in await tables_with_a_column(connection)}
    assert {table: rights for table, rights in found.items() if rights != "-"} == SIGNER
    update = "UPDATE certificate_issuance SET {} WHERE false"
    assert await allowed(connection, update.format("signed_at = NULL"))
    for column in ("key_id", "to_sign_sha256", "patient_id"):
        assert not await allowed(connection, update.format(f"{column} = {column}"))
    await connection.close()


async def test_s28_the_api_asks_and_cannot_mark_a_row_as_signed(server: Server, database: str) -> None:
    connection = await asyncpg.connect(server.dsn("hb_api", database))
    insert = "INSERT INTO certificate_issuance ({}) SELECT {} FROM certificate_issuance WHERE false"
    asked = "patient_id, issuance_id, purpose, key_id, to_sign_sha256, made_at"
    assert await allowed(connection, insert.format(asked, asked))
    assert not await allowed(connection, insert.format(f"{asked}, signed_at", f"{asked}, signed_at"))
    assert await allowed(connection, "UPDATE certificate_issuance SET closed_at = NULL WHERE false")
    assert not await allowed(connection, "UPDATE certificate_issuance SET signed_at = NULL WHERE false")
    assert not await allowed(connection, "UPDATE document_signer SET daily_budget = 1 WHERE false")
    await connection.close()


async def test_s21_partitions_are_not_a_side_door(connected: tuple[str, Connection]) -> None:
    role, connection = connected
    rows = await connection.fetch(
        "SELECT c.relname::text FROM pg_class c WHERE c.relispartition AND c.relkind = 'r'"
    )
    for row in rows:
        may_read = await allowed(connection, f"SELECT 1 FROM {row[0]} LIMIT 0")
        assert may_read is (role == "hb_backup"), row[0]
        assert not await allowed(connection, f"DELETE FROM {row[0]} WHERE false")


def test_s21_audit_tables_only_grow_and_delivery_sees_no_record() -> None:
    for table in AUDIT_TABLES:
        assert EXPECTED[table] == {"hb_api": "ra", "hb_delivery": "-", "hb_stats": "-", "hb_backup": "r"}
    for table in RECORD_TABLES:
        assert EXPECTED[table]["hb_delivery"] == "-"
    for table, rights in EXPECTED.items():
        assert "T" not in "".join(rights.values()), table


async def test_s21_no_role_is_superuser_or_bypasses_anything(connected: tuple[str, Connection]) -> None:
    _, connection = connected
    rows = await connection.fetch(
        "SELECT rolname::text, rolreplication, rolsuper, rolcreaterole, rolbypassrls FROM pg_roles"
        " WHERE rolname = ANY($1::text[])",
        list(ROLES),
    )
    assert {row[0]: any(list(row)[2:]) for row in rows} == dict.fromkeys(ROLES, False)
    # Whole copies and their log come by the replication protocol; that role reads everything as it is.
    assert [row[0] for row in rows if row[1]] == ["hb_backup"]
    assert not await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")


async def test_s21_a_role_cannot_become_another(connected: tuple[str, Connection]) -> None:
    role, connection = connected
    for other in (*ROLES, "postgres"):
        if other != role:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"SET ROLE {other}")
