"""security.md S15: the look-up key is rotated while people are looked up."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from healthbook.commands import rotate_lookup
from healthbook.doctor import proofs
from identity import people, phones
from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.key_life import destroy
from store.keys import KeyRing, add_key
from store.postgres import Server
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, make_citizen


@pytest.fixture
async def stores(
    server: Server, make_database: Callable[[], Awaitable[str]], tmp_path: Path, blobs: FilesystemBlobs
) -> AsyncIterator[list[Store]]:
    """[as hb_api with the first key, as hb_api with both, as hb_owner with both]."""
    database = await make_database()
    both = KeyRing.create(tmp_path / "both", demo=True)
    shutil.copytree(tmp_path / "both", tmp_path / "first")
    first = KeyRing.load(tmp_path / "first")
    add_key(tmp_path / "both", "lookup")
    both.look()
    opened = [
        await open_store(server.dsn(role, database), role=role, keys=keys, blobs=blobs)
        for role, keys in (("hb_api", first), ("hb_api", both), ("hb_owner", both))
    ]
    yield opened
    for store in opened:
        await store.close()


async def is_found(store: Store, citizen: Citizen, clock: FrozenClock) -> bool:
    now = clock.now()
    async with store.transaction() as tx:
        found = await people.resolve_subject(tx, store.keys, "national-id", citizen.number, now)
        signing_in = await phones.people_signing_in_with(tx, store.keys, citizen.phone_number, now)
    return found == citizen.patient_id and citizen.patient_id in signing_in


async def test_s15_a_rotation_under_load_loses_nobody_and_leaves_no_old_row(
    stores: list[Store], clock: FrozenClock
) -> None:
    before, after, owner = stores
    citizens = [await make_citizen(before, clock) for _ in range(12)]
    done = asyncio.Event()
    looked_up = 0

    async def look_up() -> None:
        nonlocal looked_up
        while not done.is_set():
            for citizen in citizens:
                assert await is_found(after, citizen, clock)
                looked_up += 1

    load = [asyncio.create_task(look_up()) for _ in range(3)]
    moved = await rotate_lookup(owner, ("operator", "test"))
    done.set()
    await asyncio.gather(*load)
    assert moved >= 2 * len(citizens)
    assert looked_up > 0
    async with owner.transaction() as tx:
        for table in ("patient_identifier", "patient_identifier_rev", "phone_lookup"):
            left = await tx.fetch(f"SELECT 1 FROM {table} WHERE key_version = '0001'")
            assert left == [], table
    assert not await is_found(before, citizens[0], clock)
    assert await rotate_lookup(owner, ("operator", "test")) == 0
    assert all([await is_found(after, citizen, clock) for citizen in citizens])


async def test_s15_people_of_before_a_key_was_destroyed_are_told_and_found_again(
    stores: list[Store], clock: FrozenClock, tmp_path: Path
) -> None:
    """As a restored backup brings them back."""
    before, after, owner = stores
    citizen = await make_citizen(before, clock)
    async with after.transaction() as tx:
        assert await proofs.lookup_faults(tx, after.keys) == []
    destroy(tmp_path / "both" / "lookup.0001.key")
    for store in (after, owner):
        store.keys.look()
    assert not await is_found(after, citizen, clock)
    async with after.transaction() as tx:
        (fault,) = await proofs.lookup_faults(tx, after.keys)
    assert "look-up key 0001" in fault.what
    assert "rotate-lookup" in fault.do
    await rotate_lookup(owner, ("operator", "test"))
    assert await is_found(after, citizen, clock)
    async with after.transaction() as tx:
        assert await proofs.lookup_faults(tx, after.keys) == []
