"""The worker's roots and the witness outside: built, offered, countersigned, refused."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from audit.roots.models import SignedRoot
from audit.roots.proofs import roots_after
from audit.roots.signing import holds_cosignature, public_keys
from audit.roots.witness_http import HttpWitness
from audit.service import record_act
from healthbook.root_jobs import EVERY, build_root, offer_newest, root_jobs
from kernel.access import Actor
from kernel.ids import uuid7
from store.database import Store
from store.journal_files import DirectoryJournal
from store.models import Due
from tests.support.clock import START, FrozenClock
from tests.support.witness import TestWitness, running_witness

ACTOR = Actor(kind="kiosk", actor_id=uuid7(START))


@pytest.fixture
def witness(fresh_store: Store) -> Iterator[TestWitness]:
    with running_witness(public_keys(fresh_store.keys)) as running:
        yield running


async def act(store: Store, count: int = 3) -> list[UUID]:
    people = [uuid7(START) for _ in range(count)]
    async with store.transaction() as tx:
        for patient_id in people:
            await record_act(tx, patient_id, ACTOR, "visit:arrival:create", request_id="r", now=START)
    return people


async def build(store: Store, clock: FrozenClock) -> bool:
    return await build_root(store, clock, clock.now() + timedelta(minutes=1))


async def published(store: Store) -> list[SignedRoot]:
    async with store.transaction() as tx:
        return (await roots_after(tx, store.keys, 0)).roots


async def test_a_round_signs_a_root_and_comes_again_in_five_minutes(
    fresh_store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    await act(fresh_store, 2500)
    jobs = root_jobs(fresh_store, clock, None, DirectoryJournal(tmp_path))
    due = Due(bucket=0, due_at=clock.now(), kind="audit-roots", ref="all")
    assert await jobs["audit-roots"](due) == clock.now() + EVERY
    (root,) = await published(fresh_store)
    assert (root.root.size, root.witnesses) == (2500, [])
    assert await jobs["audit-witness"](due) is not None


async def test_s25_each_root_lies_in_the_journals_files_also_one_that_could_not_be_written_at_once(
    fresh_store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    """What the database says of a root later cannot change what was written of it."""
    place = tmp_path / "journal"
    build_once = root_jobs(fresh_store, clock, None, DirectoryJournal(place))["audit-roots"]
    due = Due(bucket=0, due_at=clock.now(), kind="audit-roots", ref="all")

    async def round_() -> list[SignedRoot]:
        await act(fresh_store)
        clock.advance(minutes=5)
        await build_once(due)
        return [
            msgspec.json.decode(one.read_bytes(), type=SignedRoot) for one in sorted(place.glob("root-*"))
        ]

    first = await round_()
    away = place.rename(tmp_path / "away")
    place.touch()  # nothing can be written below a file
    assert await round_() == []
    assert await round_() == []
    place.unlink()
    away.rename(place)
    assert await round_() == await published(fresh_store)
    assert len(first) == 1
    assert await DirectoryJournal(place).names() == []


async def test_the_witness_signs_each_root_that_continues_what_it_saw(
    fresh_store: Store, clock: FrozenClock, witness: TestWitness
) -> None:
    ours = HttpWitness(witness.url, witness.key)
    for _ in range(4):
        await act(fresh_store)
        await build(fresh_store, clock)
        assert await offer_newest(fresh_store, ours)
        assert not await offer_newest(fresh_store, ours)
    roots = await published(fresh_store)
    assert [offer.old_size for offer in witness.offers] == [0, 3, 6, 9]
    for root in roots:
        (said,) = root.witnesses
        assert holds_cosignature(root.root, said, witness.key)


async def test_roots_that_no_witness_saw_are_covered_by_the_next_one(
    fresh_store: Store, clock: FrozenClock, witness: TestWitness
) -> None:
    ours = HttpWitness(witness.url, witness.key)
    await act(fresh_store)
    await build(fresh_store, clock)
    assert await offer_newest(fresh_store, ours)
    away = HttpWitness("http://127.0.0.1:9/offer", witness.key)
    for _ in range(3):
        await act(fresh_store)
        await build(fresh_store, clock)
        assert not await offer_newest(fresh_store, away)
    assert await offer_newest(fresh_store, ours)
    assert [len(root.witnesses) for root in await published(fresh_store)] == [1, 0, 0, 1]


async def test_a_witness_that_forgot_what_it_signed_or_knows_more_is_asked_from_where_it_stands(
    fresh_store: Store, clock: FrozenClock, witness: TestWitness
) -> None:
    ours = HttpWitness(witness.url, witness.key)
    await act(fresh_store)
    await build(fresh_store, clock)
    assert await offer_newest(fresh_store, ours)
    witness.seen.clear()
    await act(fresh_store)
    await build(fresh_store, clock)
    assert await offer_newest(fresh_store, ours)
    assert [offer.old_size for offer in witness.offers] == [0, 3, 0]


async def test_s25_a_witness_refuses_a_fork_and_the_root_stays_without_its_word(
    fresh_owner: Store, clock: FrozenClock, witness: TestWitness
) -> None:
    """Somebody with the database replaces a leaf below a root that the witness saw."""
    ours = HttpWitness(witness.url, witness.key)
    await act(fresh_owner, 5)
    await build(fresh_owner, clock)
    assert await offer_newest(fresh_owner, ours)
    async with fresh_owner.transaction() as tx:
        await tx.execute(
            "UPDATE audit_tile SET hashes = overlay(hashes PLACING decode(repeat('77', 32), 'hex') FROM 65)"
        )
    await act(fresh_owner, 3)
    await build(fresh_owner, clock)
    assert not await offer_newest(fresh_owner, ours)
    assert [len(root.witnesses) for root in await published(fresh_owner)] == [1, 0]


async def test_s25_a_witness_refuses_a_log_that_went_back(
    fresh_owner: Store, clock: FrozenClock, witness: TestWitness
) -> None:
    ours = HttpWitness(witness.url, witness.key)
    await act(fresh_owner, 5)
    await build(fresh_owner, clock)
    assert await offer_newest(fresh_owner, ours)
    async with fresh_owner.transaction() as tx:
        await tx.execute("TRUNCATE audit_tile, audit_leaf, audit_root, audit_cosignature")
        await tx.execute("UPDATE audit_tree SET size = 0")
        await tx.execute("UPDATE audit_head SET rooted = false WHERE seq = 1")
        await tx.execute(
            "DELETE FROM audit_head WHERE patient_id = (SELECT max(patient_id::text)::uuid FROM audit_head)"
        )
    await build(fresh_owner, clock)
    assert not await offer_newest(fresh_owner, ours)


async def test_s25_a_word_under_another_key_counts_for_nothing(
    fresh_store: Store, clock: FrozenClock, witness: TestWitness
) -> None:
    with running_witness(public_keys(fresh_store.keys)) as other:
        await act(fresh_store)
        await build(fresh_store, clock)
        assert not await offer_newest(fresh_store, HttpWitness(witness.url, other.key))
    assert [root.witnesses for root in await published(fresh_store)] == [[]]


@pytest.mark.parametrize("body", [b"", b"{}", b"[", b"x" * 20_000, b'{"at":1}'])
async def test_an_answer_that_is_none_of_the_protocol_is_asked_again_later(
    fresh_store: Store, clock: FrozenClock, witness: TestWitness, body: bytes
) -> None:
    await act(fresh_store)
    await build(fresh_store, clock)
    witness.broken = body
    ours = HttpWitness(witness.url, witness.key)
    assert not await offer_newest(fresh_store, ours)
    witness.broken = None
    assert await offer_newest(fresh_store, ours)
