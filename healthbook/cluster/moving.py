"""A filled database copied into an empty one of the same release: every row, and each compared.

The target's own rules are in force while it fills: its keys are checked, and on a cluster each row goes to
its shard. Nobody serves meanwhile: what was copied is what the source held when the copy began, for nobody
could write since.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from typing import Any

import asyncpg
from msgspec import Struct

from audit.service import record_admin_event
from healthbook.cluster import queries
from healthbook.wiring import UNREACHABLE, Place, StartError, unusable
from kernel.clock import SystemClock
from store.database import Connection
from store.distribute import foreign_keys
from store.installation import is_elsewhere, settle
from store.migrate import applied_migrations
from store.models import ForeignKey

Say = Callable[[str], None]
# Said by each side of itself: what applied when, how its keys were spread, and what it is.
_OWN = frozenset({"schema_migration", "foreign_key_apart"})
_MARK = "installation"
_CHUNKS_AHEAD = 16


class Table(Struct, frozen=True):
    name: str
    columns: list[str]
    hashed: list[str]


async def copy_database(
    place: Place, target: str, jobs: int, signed: tuple[str, str], say: Say
) -> tuple[int, int]:
    """Copy `place`'s database into the one at the address `target`; returns how many tables and rows.

    Raises StartError in plain words where it must not begin, or where a table came out otherwise.
    """
    if not target:
        raise StartError("DATABASE_COPY_URL names the empty database to copy into; it is not set.")
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(_connected(place.dsn("hb_owner"), "DATABASE_URL"))
        there = await stack.enter_async_context(_connected(target, "DATABASE_COPY_URL"))
        tables = await _comparable(source, there)
        await _refuse_filled(there, tables)
        async with source.transaction():
            await record_admin_event(
                source, signed[0], "database:copy", signed[1], len(tables), SystemClock().now()
            )
        if await is_elsewhere(source):
            raise StartError("This database was restored or promoted: run `healthbook admin recover` first.")
        if serving := await queries.SERVING.one(source):
            raise StartError(
                f"{serving} sessions of a service are open here. Stop serve, worker and signer first."
            )
        await stack.enter_async_context(source.transaction())
        try:
            await source.execute(queries.lock_against_writes([table.name for table in tables]))
        except asyncpg.LockNotAvailableError as error:
            raise StartError("Somebody writes into this database. Stop every service first.") from error
        await queries.DELETE_MARK.run(there)
        levels = _levels(tables, await foreign_keys(source))
        rows = await _copy_levels((place.dsn("hb_owner"), target), levels, jobs, say)
        # It says where the one that was copied serves.
        await settle(there)
        await there.execute("ANALYZE")
        return len(tables), rows


@asynccontextmanager
async def _connected(dsn: str, name: str) -> AsyncIterator[Connection]:
    try:
        connection = await asyncpg.connect(
            dsn,
            server_settings={"role": "hb_owner", "citus.override_table_visibility": "off", "timezone": "UTC"},
        )
    except (*UNREACHABLE, asyncpg.PostgresError) as error:
        raise unusable(error, name) from error
    try:
        yield connection
    finally:
        await connection.close()


async def _tables(connection: Connection) -> dict[str, Table]:
    found: dict[str, Table] = {}
    for column in await queries.COLUMNS.all(connection):
        table = found.setdefault(column.on_table, Table(column.on_table, [], []))
        table.columns.append(column.name)
        table.hashed.append(column.hashed)
    return found


async def _comparable(source: Connection, there: Connection) -> list[Table]:
    """The tables to copy. Raises StartError where the two are not of one release."""
    try:
        applied = [await applied_migrations(one) for one in (source, there)]
    except asyncpg.UndefinedTableError:
        applied = [[], []]
    if not applied[0] or applied[0] != applied[1]:
        raise StartError(
            "The two databases are not of one release: run `healthbook migrate` of this one on both."
        )
    here, other = await _tables(source), await _tables(there)
    tables = [table for name, table in here.items() if name not in _OWN]
    odd = [
        table.name
        for table in tables
        if table.name not in other or sorted(other[table.name].columns) != sorted(table.columns)
    ]
    if odd:
        raise StartError(f"These tables have other columns there: {', '.join(odd)}.")
    return tables


async def _refuse_filled(there: Connection, tables: list[Table]) -> None:
    filled = [
        table.name
        for table in tables
        if table.name != _MARK and await there.fetchval(queries.is_filled(table.name))
    ]
    if filled:
        raise StartError(
            f"The other database is not empty ({', '.join(filled[:5])}). "
            "Make it anew: a copy goes into an empty one."
        )


def _levels(tables: list[Table], keys: Iterable[ForeignKey]) -> list[list[Table]]:
    """Tables that others point at come before those: each level may be copied at once."""
    left = {table.name: table for table in tables}
    needs = {name: set[str]() for name in left}
    for key in keys:
        if key.on_table in left and key.to_table != key.on_table:
            needs[key.on_table].add(key.to_table)
    levels = []
    while left:
        ready = [table for name, table in left.items() if not needs[name] & left.keys()]
        assert ready, "foreign keys in a circle"
        levels.append(ready)
        for table in ready:
            del left[table.name]
    return levels


async def _copy_levels(addresses: tuple[str, str], levels: list[list[Table]], jobs: int, say: Say) -> int:
    rows, done, all_tables = 0, 0, sum(map(len, levels))
    async with AsyncExitStack() as stack:
        pairs: asyncio.Queue[tuple[Connection, Connection]] = asyncio.Queue()
        for _ in range(jobs):
            source = await stack.enter_async_context(_connected(addresses[0], "DATABASE_URL"))
            there = await stack.enter_async_context(_connected(addresses[1], "DATABASE_COPY_URL"))
            pairs.put_nowait((source, there))

        async def one(table: Table) -> None:
            nonlocal rows, done
            pair = await pairs.get()
            try:
                count = await _copy_table(*pair, table)
            finally:
                pairs.put_nowait(pair)
            rows, done = rows + count, done + 1
            if count:
                say(f"{table.name}: {count} rows, the same as here ({done} of {all_tables} tables)")

        for level in levels:
            await _all(one(table) for table in level)
    return rows


async def _all(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Everything at once; the first fault ends the rest and is what is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)
    except BaseExceptionGroup as faults:
        raise faults.exceptions[0] from faults


async def _copy_table(source: Connection, there: Connection, table: Table) -> int:
    """Copy and compare; returns the rows. Raises StartError where the target has others."""
    chunks: asyncio.Queue[bytes | None] = asyncio.Queue(_CHUNKS_AHEAD)

    async def arriving() -> AsyncIterator[bytes]:
        while (chunk := await chunks.get()) is not None:
            yield chunk

    async def send() -> None:
        await source.copy_from_query(
            queries.rows_of(table.name, table.columns), output=chunks.put, format="binary"
        )
        await chunks.put(None)

    async def receive() -> None:
        await there.copy_to_table(table.name, source=arriving(), columns=table.columns, format="binary")

    await _all((send(), receive()))
    here, other = await _digest(source, table), await _digest(there, table)
    if here != other:
        raise StartError(
            f"{table.name} came out otherwise: {here[0]} rows here, {other[0]} there. Nothing is moved."
        )
    return here[0]


async def _digest(connection: Connection, table: Table) -> tuple[int, Decimal]:
    (row,) = await connection.fetch(queries.digest_of(table.name, table.hashed))
    return row[0], row[1]
