"""The tables spread over a Citus cluster: what `healthbook migrate --distribute` does, and each later
migration by itself (design: scale.md).

A table that a foreign key names cannot be spread, so the keys are taken off first, written down in
`foreign_key_apart`, and put back one at a time when every table lies where it belongs. Each step commits by
itself: a run that was stopped is made again from the start and goes on where it stopped.
"""

from collections.abc import Callable, Iterable

import asyncpg
from msgspec import Struct

from store import queries
from store.database import Connection
from store.migration_files import MigrationError, TableHeader
from store.models import ForeignKey
from store.postgres import ROLES

# A few times the planned cores (scale.md). The count of the first table of a group holds for all of it, and
# shards that are too few are split by hand (docs/runbook.md).
SHARD_COUNT = 128
# From here on Citus sends rights on single columns to its nodes (its release notes, #7918).
CITUS_MIN = (13, 1)
Say = Callable[[str], None]


class Spreading(Struct, frozen=True):
    """How the tables are spread: who hears how far it is, and over how many shards each group lies."""

    say: Say = lambda _: None
    shard_count: int = SHARD_COUNT


class Placed(Struct, frozen=True):
    """How Citus says a table is spread: its column, None on every node; which tables it lies beside."""

    table: str
    column: str | None
    colocation_id: int


def citus_plan(headers: Iterable[TableHeader], shard_count: int = SHARD_COUNT) -> list[tuple[str, str]]:
    """(table, the statement that spreads it), the first table of each group before the rest of it."""
    spread = [header for header in headers if header.distribute != "local"]
    ordered = sorted(spread, key=lambda header: header.group not in {None, header.table})
    return [(header.table, _statement(header, shard_count)) for header in ordered]


async def is_cluster(connection: Connection) -> bool:
    """Whether this server has Citus, spread or not."""
    return bool(await queries.HAS_CITUS.one(connection))


async def is_spread(connection: Connection) -> bool:
    """Whether anything of ours lies on the cluster: from then on new tables are spread with the others."""
    return await is_cluster(connection) and bool(await placed_tables(connection))


async def placed_tables(connection: Connection) -> dict[str, Placed]:
    """What Citus says of our tables; only where there is Citus."""
    found = [Placed(*row) for row in await connection.fetch(queries.PLACED_SQL)]
    return {one.table: one for one in found}


async def refuse_unready(connection: Connection, known: set[int]) -> None:
    """Raises MigrationError in plain words where the tables cannot be spread over what is there. known: the
    versions of this release's migrations."""
    if not await is_cluster(connection):
        raise MigrationError(
            "This server has no Citus. Its superuser runs CREATE EXTENSION citus in this database on every "
            "node first (docs/runbook.md, From one machine to a cluster)"
        )
    (node,) = [Node(*row) for row in await connection.fetch(queries.NODE_SQL)]
    if tuple(map(int, node.version.split("."))) < CITUS_MIN:
        raise MigrationError(f"Citus is {node.version}; 13.1 or newer is needed for rights on single columns")
    if node.group_id != 0:
        raise MigrationError("This is a worker of the cluster: DATABASE_OWNER_URL names its coordinator")
    if not node.shard_nodes:
        raise MigrationError(
            "No node of the cluster may hold shards: citus_set_coordinator_host, citus_add_node come first"
        )
    applied = {row.version for row in await queries.APPLIED_MIGRATIONS.all(connection)}
    if applied - known:
        raise MigrationError("A newer release migrated this database: distribute with that one")


class Node(Struct, frozen=True):
    """Citus's version ('13.2'), this node's group (0: the coordinator), and how many nodes hold shards."""

    version: str
    group_id: int
    shard_nodes: int


async def prepare_cluster_roles(connection: Connection) -> list[str]:
    """Give our roles what they need on a cluster, as a user who may; returns what a superuser has to say
    where this one may not.

    Citus signs in at its nodes as the role that asks, so each may sign in; and its filter over the catalogs
    costs asyncpg seconds a connection (scale.md), also behind a bouncer that lets no start-up parameter pass.
    """
    left = []
    without = await queries.ROLES_WITHOUT_LOGIN.all(connection, list(ROLES))
    wanted = [f"ALTER ROLE {role} LOGIN" for role in without]
    settled = set(await queries.ROLES_UNFILTERED.all(connection))
    user = await connection.fetchval("SELECT session_user::text")
    wanted += [
        f"ALTER ROLE {_quoted(role)} SET citus.override_table_visibility = off"
        for role in dict.fromkeys((*ROLES, user))
        if role not in settled
    ]
    for statement in wanted:
        try:
            await connection.execute(statement)
        except asyncpg.InsufficientPrivilegeError:
            left.append(statement)
    return left


async def spread_standing(connection: Connection, headers: list[TableHeader], spreading: Spreading) -> None:
    """Spread every table that is not, whatever foreign keys stand, and put those back.

    Raises MigrationError where a table lies otherwise than its header says: nothing is moved then.
    """
    _refuse_otherwise(headers, await placed_tables(connection))
    missing = await _missing(connection, headers, spreading.shard_count)
    if missing:
        await _take_keys_off(connection, headers)
    for number, (table, statement) in enumerate(missing, 1):
        filled = await connection.fetchval(queries.is_filled(table))
        await connection.execute(statement)
        if filled:
            await connection.execute(f"SELECT truncate_local_data_after_distributing_table('{table}')")
        spreading.say(f"spread {table} ({number} of {len(missing)})")
    _refuse_otherwise(headers, await placed_tables(connection), whole=True)
    await _put_keys_back(connection, spreading.say)


async def spread_new(connection: Connection, headers: list[TableHeader]) -> None:
    """The distribute hook of later migrations: new tables are spread before the first key names them."""
    for _, statement in await _missing(connection, headers, SHARD_COUNT):
        await connection.execute(statement)


async def foreign_keys(connection: Connection) -> list[ForeignKey]:
    """Every foreign key between tables of ours."""
    return await queries.FOREIGN_KEYS.all(connection)


async def is_half_spread(connection: Connection) -> bool:
    """Whether a run of `--distribute` stopped on its way: without its foreign keys the database serves, but
    nothing new is built on it. Only where `is_spread`."""
    return bool(await queries.ANY_KEY_APART.one(connection))


async def _missing(
    connection: Connection, headers: list[TableHeader], shard_count: int
) -> list[tuple[str, str]]:
    placed = await placed_tables(connection)
    return [
        (table, statement) for table, statement in citus_plan(headers, shard_count) if table not in placed
    ]


async def _take_keys_off(connection: Connection, headers: list[TableHeader]) -> None:
    """Each key is written down in the transaction that takes it off: none is ever forgotten."""
    local = {header.table for header in headers if header.distribute == "local"}
    for key in await foreign_keys(connection):
        if {key.on_table, key.to_table} <= local:
            continue
        async with connection.transaction():
            await queries.NOTE_KEY_APART.run(connection, key.on_table, key.name, key.definition)
            await connection.execute(f"ALTER TABLE {key.on_table} DROP CONSTRAINT {key.name}")


async def _put_keys_back(connection: Connection, say: Say) -> None:
    standing = {(key.on_table, key.name) for key in await foreign_keys(connection)}
    apart = await queries.KEYS_APART.all(connection)
    for number, key in enumerate(apart, 1):
        # Not in one transaction with the note: Citus runs a key between nodes by itself.
        if (key.on_table, key.name) not in standing:
            await connection.execute(f"ALTER TABLE {key.on_table} ADD CONSTRAINT {key.name} {key.definition}")
        await queries.FORGET_KEY_APART.run(connection, key.on_table, key.name)
        say(f"put back {key.name} ({number} of {len(apart)})")


def _refuse_otherwise(headers: list[TableHeader], placed: dict[str, Placed], *, whole: bool = False) -> None:
    """Every table that is spread lies by its header's column and beside its group's first table."""
    for header in headers:
        one = placed.get(header.table)
        if one is None:
            if whole and header.distribute != "local":
                raise MigrationError(f"{header.table} was not spread")
            continue
        column = None if header.group is None else header.distribute
        if header.distribute == "local" or one.column != column:
            raise MigrationError(
                f"{header.table} lies by {one.column}, its migration says {header.distribute}"
            )
        if header.group is None:
            continue
        root = placed.get(header.group)
        if root is None:
            raise MigrationError(f"{header.table} is spread and {header.group}, its group's first, is not")
        if root.colocation_id != one.colocation_id:
            raise MigrationError(f"{header.table} does not lie beside {header.group}")


def _statement(header: TableHeader, shard_count: int) -> str:
    if header.group is None:
        return f"SELECT create_reference_table('{header.table}')"
    if header.group != header.table:
        spread = f"colocate_with => '{header.group}'"
    else:
        spread = f"colocate_with => 'none', shard_count => {shard_count}"
    return f"SELECT create_distributed_table('{header.table}', '{header.distribute}', {spread})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
