"""The pool and the transaction: what a handler or a job holds of the database.

Nothing outlives a transaction on a connection (no session settings, no session locks, no LISTEN):
that is what makes it safe to skip asyncpg's reset of every released connection, and what lets
pgbouncer's transaction mode sit in between.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from time import perf_counter
from typing import TYPE_CHECKING, Final, TypeAlias

import asyncpg
from prometheus_client import Histogram

from store import queries
from store.blobs import BlobStore
from store.keys import KeyRing

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:
    Pool = asyncpg.Pool
    Connection = asyncpg.Connection
Tx: TypeAlias = Connection

POOL_MIN = 2
POOL_MAX = 10
STATEMENT_CACHE_SIZE = 100
STATEMENT_TIMEOUT_SECONDS = 30
# An operator's commands count and walk over whole tables, and nobody waits for the answers.
OWNER_STATEMENT_TIMEOUT_SECONDS: Final = 6 * 3600
# Longer than a burst, shorter than a proxy's patience: an endless queue answers nobody.
ACQUIRE_SECONDS_MAX = 30
# What a transaction raises that finds its database away, busy or unwilling, for whoever can do without it.
TROUBLE: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # What asyncpg says of a connection that the server's death left half spoken on.
    asyncpg.InternalClientError,
    TimeoutError,
    OSError,
)
# What strangers and dear work get of a pool (security.md S33): more than one process can use at its own pace.
BEHIND_PERCENT = 30

# outcome: `got`, or `none` where it was given up.
POOL_WAIT: Final = Histogram(
    "healthbook_pool_wait_seconds",
    "How long a transaction waited for a connection of its process",
    ("outcome",),
    buckets=(0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30),
)


@cache
def _waits(outcome: str) -> Histogram:
    """Made when it first counts, which is in the process that counts (healthbook/metrics/sharing.py)."""
    return POOL_WAIT.labels(outcome)


class Store:
    """The database with the keys that open its fields and the files that lie beside it."""

    def __init__(self, pool: Pool, keys: KeyRing, blobs: BlobStore) -> None:
        self._pool = pool
        self._behind = asyncio.Semaphore(max(1, pool.get_max_size() * BEHIND_PERCENT // 100))
        self.keys = keys
        self.blobs = blobs

    @asynccontextmanager
    async def transaction(self, *, behind: bool = False) -> AsyncIterator[Tx]:
        """One READ COMMITTED transaction: commits on a normal exit, rolls back on an exception.

        behind: it takes one of the few connections that are left to whoever can wait, so that a crowd of them
        keeps nobody waiting who reads. Never within another. Raises TimeoutError when no connection became
        free in ACQUIRE_SECONDS_MAX.
        """
        async with AsyncExitStack() as held:
            if behind:
                async with asyncio.timeout(ACQUIRE_SECONDS_MAX):
                    await held.enter_async_context(self._behind)
            connection = await held.enter_async_context(self._connection())
            async with connection.transaction():
                yield connection

    @asynccontextmanager
    async def transaction_after(self, first: Callable[[Tx], Awaitable[None]]) -> AsyncIterator[Tx]:
        """The same, and before it on its connection statements of which each commits by itself and stays,
        whatever becomes of the transaction."""
        async with self._connection() as connection:
            await first(connection)
            async with connection.transaction():
                yield connection

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        asked = perf_counter()
        try:
            connection = await self._pool.acquire(timeout=ACQUIRE_SECONDS_MAX)
        except TimeoutError:
            _waits("none").observe(perf_counter() - asked)
            raise
        _waits("got").observe(perf_counter() - asked)
        try:
            yield connection
        finally:
            await self._pool.release(connection)

    @property
    def connections_max(self) -> int:
        """How many transactions run at once."""
        return self._pool.get_max_size()

    @property
    def connections(self) -> int:
        """How many are open now."""
        return self._pool.get_size()

    async def close(self) -> None:
        await self._pool.close()


async def open_store(
    dsn: str,
    *,
    role: str | None,
    keys: KeyRing,
    blobs: BlobStore,
    pool_min: int = POOL_MIN,
    pool_max: int = POOL_MAX,
    statement_cache_size: int = STATEMENT_CACHE_SIZE,
) -> Store:
    """Open the pool as `role` (hb_api, hb_delivery, …); None keeps the role that the DSN signs in as.

    The role is a start-up parameter, so one DATABASE_URL serves every role its user is a member of.
    `statement_cache_size` 0 is for pgbouncer before 1.21 (design: scale.md, asyncpg and pgbouncer).
    """

    async def open_pool(parameters: dict[str, str]) -> Pool:
        return await asyncpg.create_pool(
            dsn,
            min_size=pool_min,
            max_size=pool_max,
            statement_cache_size=statement_cache_size,
            reset=_keep_as_is,
            server_settings=parameters,
        )

    parameters = _start_up_parameters(role)
    pool = await open_pool(parameters)
    async with pool.acquire() as connection:
        cluster = await queries.HAS_CITUS.one(connection)
    if cluster:
        # Citus plans a join for the shard of its parameters' values, and refuses a plan for any values
        # ("could not create distributed plan"). PostgreSQL itself chooses right when it may.
        await pool.close()
        pool = await open_pool(parameters | {"plan_cache_mode": "auto"})
    return Store(pool, keys, blobs)


def _start_up_parameters(role: str | None) -> dict[str, str]:
    timeout = OWNER_STATEMENT_TIMEOUT_SECONDS if role == "hb_owner" else STATEMENT_TIMEOUT_SECONDS
    parameters = {
        # Citus hides shards by a filter on the catalogs that makes asyncpg's look-up of array types
        # take seconds per connection; plain PostgreSQL accepts the dotted name and ignores it.
        "citus.override_table_visibility": "off",
        "statement_timeout": f"{timeout}s",
        "idle_in_transaction_session_timeout": "60s",
        "jit": "off",
        # One plan a statement, the one that tests look at (tests/test_sql.py). Planned anew for each person,
        # a summary spent five times as long on its plan as on its rows, wherever people's records differ.
        "plan_cache_mode": "force_generic_plan",
        "application_name": "healthbook",
        "timezone": "UTC",
    }
    return parameters if role is None else parameters | {"role": role}


async def _keep_as_is(_connection: object) -> None:
    """Reset nothing: no state outlives a transaction (module docstring)."""
