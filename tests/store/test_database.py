"""The pool: transactions end with their block, and nothing outlives them on a connection."""

import asyncio

import asyncpg
import pytest

from kernel.ids import uuid7
from store.database import Store, open_store
from store.installation import is_demo, mark_installation
from store.outbox import emit
from store.postgres import Server
from tests.support.clock import FrozenClock


async def count_events(store: Store) -> int:
    async with store.transaction() as tx:
        return int(await tx.fetchval("SELECT count(*) FROM outbox"))


async def test_a_normal_exit_commits_and_an_exception_rolls_back(
    fresh_store: Store, clock: FrozenClock
) -> None:
    async def write(fail: bool) -> None:
        async with fresh_store.transaction() as tx:
            await emit(tx, uuid7(clock.now()), "test.happened", {}, clock.now())
            if fail:
                raise LookupError

    await write(fail=False)
    with pytest.raises(LookupError):
        await write(fail=True)
    assert await count_events(fresh_store) == 1


async def test_a_cancelled_request_keeps_nothing_and_its_connection_serves_on(
    server: Server, database: str, store: Store, clock: FrozenClock
) -> None:
    dsn = server.dsn("hb_api", database)
    one = await open_store(dsn, role="hb_api", keys=store.keys, blobs=store.blobs, pool_min=1, pool_max=1)
    before = await count_events(one)
    started = asyncio.Event()

    async def request() -> None:
        async with one.transaction() as tx:
            await emit(tx, uuid7(clock.now()), "test.happened", {}, clock.now())
            started.set()
            await tx.fetchval("SELECT pg_sleep(600)")

    task = asyncio.create_task(request())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await count_events(one) == before
    await one.close()


async def test_who_waits_too_long_for_a_connection_is_turned_away(
    server: Server, database: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.database.ACQUIRE_SECONDS_MAX", 0.05)
    dsn = server.dsn("hb_api", database)
    one = await open_store(dsn, role="hb_api", keys=store.keys, blobs=store.blobs, pool_min=1, pool_max=1)
    async with one.transaction():
        with pytest.raises(TimeoutError):
            async with one.transaction():
                raise AssertionError("there is one connection only")
    async with one.transaction() as tx:
        assert await tx.fetchval("SELECT 1") == 1
    await one.close()


async def test_s33_who_can_wait_leaves_connections_to_who_reads(
    server: Server, database: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = server.dsn("hb_api", database)
    one = await open_store(dsn, role="hb_api", keys=store.keys, blobs=store.blobs, pool_min=1, pool_max=4)
    begun, finish, inside = asyncio.Event(), asyncio.Event(), list[int]()

    async def patiently(number: int) -> None:
        async with one.transaction(behind=True):
            inside.append(number)
            begun.set()
            await finish.wait()

    patient = [asyncio.create_task(patiently(number)) for number in range(8)]
    await begun.wait()
    for _ in range(5):
        async with one.transaction() as tx:
            assert await tx.fetchval("SELECT 1") == 1
    assert inside == [0], "30 % of four connections"
    monkeypatch.setattr("store.database.ACQUIRE_SECONDS_MAX", 0.05)
    with pytest.raises(TimeoutError):
        async with one.transaction(behind=True):
            raise AssertionError("others wait too")
    finish.set()
    await asyncio.gather(*patient)
    assert inside == list(range(8))
    await one.close()


async def test_what_is_set_locally_ends_with_its_transaction(fresh_store: Store) -> None:
    async with fresh_store.transaction() as tx:
        before = await tx.fetchval("SHOW work_mem")
        await tx.execute("SET LOCAL work_mem = '123kB'")
    for _ in range(20):
        async with fresh_store.transaction() as tx:
            assert await tx.fetchval("SHOW work_mem") == before


async def test_every_connection_has_its_limits_and_hides_no_shard(store: Store) -> None:
    wanted = {
        "citus.override_table_visibility": "off",
        "statement_timeout": "30s",
        "idle_in_transaction_session_timeout": "1min",
        "transaction_isolation": "read committed",
        "TimeZone": "UTC",
        "role": "hb_api",
    }
    async with store.transaction() as tx:
        assert {name: await tx.fetchval(f"SHOW {name}") for name in wanted} == wanted


async def test_what_an_operator_runs_over_everything_has_hours(owner: Store) -> None:
    """Nobody waits for its answer: rows of a country are not counted in half a minute."""
    async with owner.transaction() as tx:
        assert await tx.fetchval("SHOW statement_timeout") == "6h"


async def test_a_pool_survives_the_loss_of_its_connections(server: Server, fresh_store: Store) -> None:
    async with fresh_store.transaction() as tx:
        database = await tx.fetchval("SELECT current_database()")
    other = await asyncpg.connect(server.dsn("hb_api", database))
    await other.fetch(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"  # waits until it is gone
        " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
    )
    await other.close()
    for _ in range(20):
        async with fresh_store.transaction() as tx:
            assert await tx.fetchval("SELECT 1") == 1


async def test_s4_the_mark_of_a_database_is_written_once(fresh_store: Store, clock: FrozenClock) -> None:
    async with fresh_store.transaction() as tx:
        assert await is_demo(tx) is None
        assert await mark_installation(tx, True, clock.now())
        assert not await mark_installation(tx, False, clock.now())
        assert await is_demo(tx) is True
