"""Forward-only migrations: `NNNN_<package>_<what>.sql` in order, each in one transaction, one
statement per execute; an applied file never changes. Rights follow from grants.sql afterwards.

Every table is announced by a header, from which the Citus plan is made:
    -- table: <name> distribute: <column> [with <table>] | bucket | reference | local
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import asyncpg
from msgspec import Struct

from store import queries
from store.database import Connection
from store.postgres import ROLES

MIGRATIONS = Path(__file__).parent / "migrations"
GRANTS = Path(__file__).parent / "grants.sql"
SHARD_COUNT = 32
ROOT_TABLES = {"citizen", "due_queue"}  # the first table of each co-located group
LOCK_TIMEOUT_SECONDS = 10
_LOCK = 0x68627574  # any constant; the only advisory lock of the program
_HEADER = re.compile(r"^-- table: (\w+) distribute: (\w+)(?: with (\w+))?\s*$", re.MULTILINE)
_DROPPED = re.compile(r"^DROP TABLE (\w+);", re.MULTILINE)
_NAME = re.compile(r"^(\d{4})_([a-z]+)_(\w+)\.sql$(?!\n)")


class MigrationError(Exception):
    """A migration file is malformed, or an applied one was changed."""


class TableHeader(Struct, frozen=True):
    """How a table is spread: `distribute` is a column, 'bucket', 'reference' or 'local'."""

    table: str
    distribute: str
    colocate_with: str | None


class Migration(Struct, frozen=True):
    version: int
    package: str
    name: str
    sha256: bytes
    in_transaction: bool
    statements: list[str]
    tables: list[TableHeader]

    @property
    def adds_foreign_keys(self) -> bool:
        return self.name.endswith("_fk.sql")


def read_migrations(directory: Path = MIGRATIONS) -> list[Migration]:
    """All migration files in order. Raises MigrationError on a bad name or a version used twice."""
    migrations = [_read(path) for path in sorted(directory.glob("*.sql"))]
    versions = [m.version for m in migrations]
    if len(set(versions)) != len(versions):
        raise MigrationError("two migrations share a number")
    return migrations


def split_statements(text: str) -> list[str]:
    """Statements end with a line that ends in `;`. Comment lines before one belong to it."""
    statements: list[str] = []
    lines: list[str] = []
    for line in text.splitlines():
        lines.append(line)
        if line.rstrip().endswith(";") and not line.lstrip().startswith("--"):
            statements.append("\n".join(lines).strip())
            lines = []
    if any(line.strip() and not line.lstrip().startswith("--") for line in lines):
        raise MigrationError("the last statement does not end with a line ending in ';'")
    return statements


def citus_plan(migrations: Iterable[Migration]) -> list[str]:
    """The statements that spread the tables, group roots first; run only where Citus is installed."""
    ordered = sorted(standing_tables(migrations), key=lambda header: header.table not in ROOT_TABLES)
    return [_distribute(header) for header in ordered if header.distribute != "local"]


def standing_tables(migrations: Iterable[Migration]) -> list[TableHeader]:
    """The tables that are there after all of these files."""
    found: dict[str, TableHeader] = {}
    for migration in migrations:
        found |= {header.table: header for header in migration.tables}
        for statement in migration.statements:
            if dropped := _DROPPED.search(statement):
                del found[dropped[1]]
    return list(found.values())


async def migrate(dsn: str, now: datetime, *, role: str | None = "hb_owner") -> list[str]:
    """Apply what is missing, then the rights. Returns the names of the files applied now."""
    settings = {} if role is None else {"role": role}
    connection = await asyncpg.connect(dsn, server_settings=settings)
    try:
        await queries.MIGRATION_LOCK.run(connection, _LOCK)
        applied = await _apply_missing(connection, now)
        await apply_grants(connection)
        await queries.MIGRATION_UNLOCK.run(connection, _LOCK)
        return applied
    finally:
        await connection.close()


async def prepare_roles(dsn: str) -> None:
    """Make the roles on a server that is not ours, as a user who may; then be a member of each."""
    connection = await asyncpg.connect(dsn)
    try:
        existing = set(await queries.EXISTING_ROLES.all(connection, list(ROLES)))
        for role in ROLES:
            if role not in existing:
                await connection.execute(f"CREATE ROLE {role} NOLOGIN")
                await connection.execute(f"GRANT {role} TO CURRENT_USER")
        if set(ROLES) - existing:
            await connection.execute("GRANT CREATE, USAGE ON SCHEMA public TO hb_owner")
    finally:
        await connection.close()


async def apply_grants(connection: Connection) -> None:
    """Take every right away and give what grants.sql lists, in one transaction."""
    grants = split_statements(GRANTS.read_text())
    others = ", ".join(role for role in ROLES if role != "hb_owner")
    async with connection.transaction():
        await connection.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {others}")
        await connection.execute(f"GRANT USAGE ON SCHEMA public TO {others}")
        await connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO hb_backup")
        for statement in grants:
            await connection.execute(statement)


async def _apply_missing(connection: Connection, now: datetime) -> list[str]:
    await queries.CREATE_SCHEMA_MIGRATION.run(connection)
    done = {row.version: row for row in await queries.APPLIED_MIGRATIONS.all(connection)}
    missing: list[Migration] = []
    for migration in read_migrations():
        if migration.version not in done:
            missing.append(migration)
        elif done[migration.version].sha256 != migration.sha256:
            raise MigrationError(f"{migration.name} was changed after it was applied")
    citus = await queries.HAS_CITUS.one(connection) is True
    spread: list[Migration] = []
    for migration in missing:
        if migration.adds_foreign_keys:
            await _spread(connection, spread, citus)
        await _apply(connection, migration, now)
        spread.append(migration)
    await _spread(connection, spread, citus)
    return [migration.name for migration in missing]


async def _spread(connection: Connection, migrations: list[Migration], citus: bool) -> None:
    """The distribute hook: tables are spread before the first foreign key names them."""
    for statement in citus_plan(migrations) if citus else []:
        await connection.execute(statement)
    migrations.clear()


async def _apply(connection: Connection, migration: Migration, now: datetime) -> None:
    row = (migration.version, migration.name, migration.sha256, now)
    if not migration.in_transaction:
        await _execute_each(connection, migration)
        await queries.INSERT_MIGRATION.run(connection, *row)
        return
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
        await _execute_each(connection, migration)
        await queries.INSERT_MIGRATION.run(connection, *row)


async def _execute_each(connection: Connection, migration: Migration) -> None:
    for statement in migration.statements:
        await connection.execute(statement)


def _read(path: Path) -> Migration:
    named = _NAME.match(path.name)
    if named is None:
        raise MigrationError(f"{path.name} is not NNNN_<package>_<what>.sql")
    raw = path.read_bytes()
    text = raw.decode()
    return Migration(
        version=int(named[1]),
        package=named[2],
        name=path.name,
        sha256=hashlib.sha256(raw).digest(),
        in_transaction=not text.startswith("-- no-transaction"),
        statements=split_statements(text),
        tables=[TableHeader(m[1], m[2], m[3]) for m in _HEADER.finditer(text)],
    )


def _distribute(header: TableHeader) -> str:
    if header.distribute == "reference":
        return f"SELECT create_reference_table('{header.table}')"
    if header.table == "citizen":
        spread = f"shard_count => {SHARD_COUNT}"
    elif header.distribute == "bucket" and header.table != "due_queue":
        spread = "colocate_with => 'due_queue'"
    else:
        spread = f"colocate_with => '{header.colocate_with or 'none'}'"
    return f"SELECT create_distributed_table('{header.table}', '{header.distribute}', {spread})"
