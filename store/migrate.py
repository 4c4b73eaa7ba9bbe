"""Forward-only migrations: `NNNN_<package>_<what>.sql` in order, each in one transaction, one
statement per execute; an applied file never changes. Rights follow from grants.sql afterwards.

On a Citus cluster the tables are spread as well (store/distribute.py).

The service works on meanwhile. Whoever asks for a table queues behind a statement that waits to change it, so
that one waits for less than a second, lets everybody through and tries again.
"""

import asyncio
from datetime import datetime
from pathlib import Path

import asyncpg

from store import distribute as cluster
from store import queries
from store.database import Connection
from store.migration_files import (
    Migration,
    MigrationError,
    read_migrations,
    split_statements,
    standing_tables,
)
from store.models import AppliedMigration
from store.postgres import ROLES

GRANTS = Path(__file__).parent / "grants.sql"
# Below PostgreSQL's deadlock_timeout of a second: where both wait for each other it is we who give way.
LOCK_TIMEOUT_MILLISECONDS = 800
LOCK_PAUSE_SECONDS = 2.0
LOCK_TRIES = 30
_LOCK = 0x68627574  # any constant; the only advisory lock of the program


async def migrate(
    dsn: str,
    now: datetime,
    *,
    role: str | None = "hb_owner",
    spreading: cluster.Spreading | None = None,
) -> list[str]:
    """Apply what is missing, then the rights. Returns the names of the files applied now.

    spreading: spread the tables over this Citus cluster; made again it goes on where it stopped, or finds
    nothing to do. Raises MigrationError in plain words.
    """
    settings = {} if role is None else {"role": role}
    connection = await asyncpg.connect(dsn, server_settings=settings)
    try:
        await queries.MIGRATION_LOCK.run(connection, _LOCK)
        await connection.execute(f"SET lock_timeout = {LOCK_TIMEOUT_MILLISECONDS}")
        await queries.CREATE_SCHEMA_MIGRATION.run(connection)
        known = read_migrations()
        if spreading is not None:
            await cluster.refuse_unready(connection, {migration.version for migration in known})
        applied = await _bring_forward(connection, known, now, spreading)
        if await _is_newest(connection, known):
            await apply_grants(connection)
        await queries.MIGRATION_UNLOCK.run(connection, _LOCK)
        return applied
    finally:
        await connection.close()


async def _is_newest(connection: Connection, known: list[Migration]) -> bool:
    """Whether no newer program was here, whose tables and rights this one does not know."""
    done = {row.version for row in await queries.APPLIED_MIGRATIONS.all(connection)}
    return done <= {migration.version for migration in known}


async def applied_migrations(connection: Connection) -> list[AppliedMigration]:
    """What was applied here, in order. Raises UndefinedTableError where nothing ever was."""
    return await queries.APPLIED_MIGRATIONS.all(connection)


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


async def _bring_forward(
    connection: Connection, known: list[Migration], now: datetime, spreading: cluster.Spreading | None
) -> list[str]:
    """Apply what is missing. spreading: spread the tables as well.

    Files meet either one machine or a cluster that is spread whole: what is spread by half is spread to its
    end before, and what is not spread at all after.
    """
    done = {row.version: row for row in await queries.APPLIED_MIGRATIONS.all(connection)}
    for migration in known:
        if migration.version in done and done[migration.version].sha256 != migration.sha256:
            raise MigrationError(f"{migration.name} was changed after it was applied")
    missing = [migration for migration in known if migration.version not in done]
    standing = [migration for migration in known if migration.version in done]
    spread = await cluster.is_spread(connection)
    if spread and spreading is not None:
        await cluster.spread_standing(connection, standing_tables(standing), spreading)
    elif spread and await cluster.is_half_spread(connection):
        raise MigrationError("The tables are spread by half: run `healthbook migrate --distribute` again")
    await _apply_missing(connection, standing, missing, now, spread=spread)
    if not spread and spreading is not None:
        await cluster.spread_standing(connection, standing_tables(known), spreading)
    return [migration.name for migration in missing]


async def _apply_missing(
    connection: Connection,
    standing: list[Migration],
    missing: list[Migration],
    now: datetime,
    *,
    spread: bool,
) -> None:
    """Where the others are spread, new tables are before the first foreign key names them."""
    standing = list(standing)
    for migration in missing:
        if spread and migration.adds_foreign_keys:
            await cluster.spread_new(connection, standing_tables(standing))
        await _apply(connection, migration, now)
        standing.append(migration)
    if spread:
        await cluster.spread_new(connection, standing_tables(standing))


async def _apply(connection: Connection, migration: Migration, now: datetime) -> None:
    """In as many tries as it takes; each leaves nothing where it does not get its locks."""
    for tried in range(LOCK_TRIES):
        if tried:
            await asyncio.sleep(LOCK_PAUSE_SECONDS)
        try:
            return await _try(connection, migration, now)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            continue
    raise MigrationError(
        f"{migration.name} changes a table that was in use all the time. What stands before it is applied, "
        "and nothing of it: run `healthbook migrate` again when less goes on"
    )


async def _try(connection: Connection, migration: Migration, now: datetime) -> None:
    row = (migration.version, migration.name, migration.sha256, now)
    if not migration.in_transaction:
        await _execute_each(connection, migration)
        await queries.INSERT_MIGRATION.run(connection, *row)
        return
    async with connection.transaction():
        await _execute_each(connection, migration)
        await queries.INSERT_MIGRATION.run(connection, *row)


async def _execute_each(connection: Connection, migration: Migration) -> None:
    for statement in migration.statements:
        await connection.execute(statement)
