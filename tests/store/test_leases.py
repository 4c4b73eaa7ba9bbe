"""Dear work is one at a time for each actor, whichever process does it (S33)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from kernel.ids import uuid7
from store import leases
from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.keys import KeyRing
from store.leases import LEASE, Lease, forget, keep
from store.postgres import Server
from tests.support.clock import START, FrozenClock

LAST_MOMENT = timedelta(microseconds=1)


@pytest.fixture
def actor() -> UUID:
    return uuid7(START)


@pytest.fixture
async def processes(
    server: Server, database: str, keys: KeyRing, blobs: FilesystemBlobs
) -> AsyncIterator[list[Store]]:
    """Two pools on one database."""
    dsn = server.dsn("hb_api", database)
    stores = [await open_store(dsn, role="hb_api", keys=keys, blobs=blobs) for _ in range(2)]
    yield stores
    for store in stores:
        await store.close()


async def take(store: Store, clock: FrozenClock, actor: UUID, kind: str = "export") -> Lease | None:
    async with store.transaction() as tx:
        return await leases.take(tx, actor, kind, clock.now())


async def taken(store: Store, clock: FrozenClock, actor: UUID, kind: str = "export") -> Lease:
    lease = await take(store, clock, actor, kind)
    assert lease is not None
    return lease


async def test_s33_of_forty_takers_over_two_processes_one_works(
    processes: list[Store], clock: FrozenClock, actor: UUID
) -> None:
    tries = [take(processes[n % 2], clock, actor) for n in range(40)]
    held = [lease for lease in await asyncio.gather(*tries) if lease is not None]
    assert len(held) == 1
    async with keep(processes[0], clock, held[0]):
        assert await take(processes[1], clock, actor) is None
        assert await take(processes[1], clock, actor, "import") is not None
        assert await take(processes[1], clock, uuid7(START)) is not None
    assert await take(processes[1], clock, actor) is not None


async def test_s33_a_killed_process_frees_its_lease_at_the_last_moment_and_not_before(
    processes: list[Store], clock: FrozenClock, actor: UUID
) -> None:
    killed = await taken(processes[0], clock, actor)
    await processes[0].close()
    clock.advance(seconds=59.999)
    assert await take(processes[1], clock, actor) is None
    clock.advance(seconds=0.001)
    assert (await taken(processes[1], clock, actor)).token != killed.token


async def test_s33_a_renewed_lease_outlives_its_length(
    processes: list[Store], clock: FrozenClock, actor: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "RENEWED_EVERY_SECONDS", 0.01)
    first, second = processes
    async with keep(first, clock, await taken(first, clock, actor)):
        clock.advance(seconds=59.999)
        await _until_renewed(second, clock, actor)
        clock.advance(seconds=0.001)
        assert await take(second, clock, actor) is None
    assert await take(second, clock, actor) is not None


async def _until_renewed(store: Store, clock: FrozenClock, actor: UUID) -> None:
    async with asyncio.timeout(30):
        while True:
            async with store.transaction() as tx:
                until = await tx.fetchval("SELECT lease_until FROM work_lease WHERE actor_id = $1", actor)
            if until == clock.now() + LEASE:
                return
            await asyncio.sleep(0.01)


async def test_s33_who_lost_the_lease_neither_renews_nor_frees_that_of_another(
    processes: list[Store], clock: FrozenClock, actor: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "RENEWED_EVERY_SECONDS", 0.01)
    first, second = processes
    lost = await taken(first, clock, actor)
    clock.advance(minutes=1)
    now_held = await taken(second, clock, actor)
    async with keep(first, clock, lost):
        await asyncio.sleep(0.1)
    async with second.transaction() as tx:
        rows = await tx.fetch("SELECT token, lease_until FROM work_lease WHERE actor_id = $1", actor)
    assert [tuple(row) for row in rows] == [(now_held.token, clock.now() + LEASE)]


async def test_s33_work_that_is_broken_off_frees_its_lease(
    processes: list[Store], clock: FrozenClock, actor: UUID
) -> None:
    first, second = processes
    inside = asyncio.Event()

    async def work(lease: Lease) -> None:
        async with keep(first, clock, lease):
            inside.set()
            await asyncio.Event().wait()

    for _ in range(2):
        running = asyncio.create_task(work(await taken(first, clock, actor)))
        await inside.wait()
        assert await take(second, clock, actor) is None
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    with pytest.raises(ValueError, match="broken"):
        async with keep(first, clock, await taken(first, clock, actor)):
            raise ValueError("broken")
    assert await take(second, clock, actor) is not None


async def test_s33_what_killed_processes_left_is_removed_and_what_is_held_stays(
    fresh_store: Store, clock: FrozenClock, actor: UUID
) -> None:
    await taken(fresh_store, clock, actor)
    clock.advance(minutes=1)
    await taken(fresh_store, clock, uuid7(START))
    async with fresh_store.transaction() as tx:
        assert await forget(tx, clock.now(), 10) == 0
        assert await forget(tx, clock.now() + LAST_MOMENT, 10) == 1
        assert await tx.fetchval("SELECT count(*) FROM work_lease") == 1
