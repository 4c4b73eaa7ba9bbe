"""Roots in the database: what changed and nothing else, by one worker at a time, whatever dies in between."""

import asyncio
from uuid import UUID

import asyncpg
import msgspec
import pytest
from pymerkle import InmemoryTree, verify_consistency

from audit.roots import queries
from audit.roots.models import Changed, Leaf, Root
from audit.roots.proofs import consistency
from audit.roots.service import append_changed, mark_rooted, newest, sign_root
from audit.roots.signing import leaf_data, pseudonym, root_id
from audit.roots.tiles import span_hashes
from audit.roots.tree import EMPTY, Span, holds_consistency
from audit.service import record_act, record_admin_event
from kernel.access import Actor
from kernel.ids import uuid7
from store.database import Store
from tests.support.clock import START, FrozenClock

ACTOR = Actor(kind="kiosk", actor_id=uuid7(START))


def people(count: int) -> list[UUID]:
    return [uuid7(START) for _ in range(count)]


async def act(store: Store, *patients: UUID) -> None:
    async with store.transaction() as tx:
        for patient_id in patients:
            await record_act(tx, patient_id, ACTOR, "visit:arrival:create", request_id="r", now=START)


async def append(store: Store, clock: FrozenClock, limit: int = 1000) -> list[Changed]:
    async with store.transaction() as tx:
        return await append_changed(tx, store.keys, clock.now(), limit)


async def mark(store: Store, heads: list[Changed]) -> None:
    async with store.transaction() as tx:
        await mark_rooted(tx, heads)


async def sign(store: Store, clock: FrozenClock) -> Root | None:
    async with store.transaction() as tx:
        return await sign_root(tx, store.keys, clock.now())


async def make_root(store: Store, clock: FrozenClock, limit: int = 1000) -> Root:
    while heads := await append(store, clock, limit):
        await mark(store, heads)
    root = await sign(store, clock)
    assert root is not None
    return root


async def peer_of(store: Store) -> InmemoryTree:
    """The leaves of the log, in an independent library."""
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT patient_id, seq, h FROM audit_leaf ORDER BY leaf")
    tree = InmemoryTree(algorithm="sha256")
    for row in rows:
        name = pseudonym(store.keys, row["patient_id"])
        tree.append_entry(leaf_data(Leaf(epoch=0, h=row["h"].hex(), pseudonym=name, seq=row["seq"])))
    return tree


async def test_s25_a_root_takes_what_changed_since_the_one_before_and_nothing_else(
    fresh_store: Store, clock: FrozenClock
) -> None:
    first = people(30)
    await act(fresh_store, *first)
    assert (await make_root(fresh_store, clock)).size == 30
    await act(fresh_store, *first[:5], *first[:5])
    assert len(await append(fresh_store, clock)) == 5
    second = await make_root(fresh_store, clock)
    assert (second.size, second.number) == (35, 2)


async def test_s25_what_a_root_reads_is_found_by_the_index_of_waiting_heads(
    fresh_owner: Store, clock: FrozenClock
) -> None:
    """Ten thousand heads that stand still are not looked at."""
    async with fresh_owner.transaction() as tx:
        await tx.execute(
            "INSERT INTO audit_head (patient_id, seq, prev, h, rooted)"
            " SELECT gen_random_uuid(), 1, decode(repeat('00', 32), 'hex'), decode(repeat('11', 32), 'hex'),"
            " true FROM generate_series(1, 10000)"
        )
        await tx.execute("ANALYZE audit_head")
    await act(fresh_owner, *people(3))
    async with fresh_owner.transaction() as tx:
        await tx.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await tx.execute(f"PREPARE probe AS {queries.CHANGED.sql}")
        plan = "\n".join(row[0] for row in await tx.fetch("EXPLAIN ANALYZE EXECUTE probe(0, 1000)"))
    assert "audit_head_unrooted" in plan
    assert "Seq Scan" not in plan
    assert "rows=3 " in plan or "rows=3.00" in plan, plan


async def test_s25_consistency_over_100_roots_with_moving_heads(
    fresh_store: Store, clock: FrozenClock
) -> None:
    """Every root continues each before it, and an independent library makes the same roots of the leaves."""
    everybody = people(40)
    roots: list[Root] = []
    for turn in range(100):
        await act(fresh_store, *everybody[turn % 7 : turn % 7 + 3 + turn % 11])
        clock.advance(minutes=5)
        roots.append(await make_root(fresh_store, clock))
    last, peer = roots[-1], await peer_of(fresh_store)
    assert [root.hash for root in roots] == [peer.get_root(root.size).hex() for root in roots]
    assert [root.number for root in roots] == list(range(1, 101))
    assert [root.prev for root in roots[1:]] == [root_id(root) for root in roots[:-1]]
    async with fresh_store.transaction() as tx:
        for older in roots:
            steps = [bytes.fromhex(step) for step in await consistency(tx, 0, older.size, last.size)]
            was, now = bytes.fromhex(older.hash), bytes.fromhex(last.hash)
            assert holds_consistency(older.size, last.size, steps, was, now)
            verify_consistency(was, now, peer.prove_consistency(older.size, last.size))
            if older.size < last.size:
                assert not holds_consistency(older.size, last.size, steps, bytes(32), now)


async def test_appends_of_every_size_fill_the_same_tiles(fresh_store: Store, clock: FrozenClock) -> None:
    """1, 2, 4 … 512 heads at a time: over the borders of tiles, in parts and in whole ones."""
    size = 0
    for power in range(10):
        await act(fresh_store, *people(2**power))
        size += 2**power
        assert (await make_root(fresh_store, clock, limit=300)).size == size
    async with fresh_store.transaction() as tx:
        one_by_one = [
            (await span_hashes(tx, 0, [Span(at, at + 1)]))[0] for at in (0, 1, 254, 255, 256, 511, 1022)
        ]
    assert len(set(one_by_one)) == 7


async def test_exactly_one_of_many_workers_appends_each_head(fresh_store: Store, clock: FrozenClock) -> None:
    await act(fresh_store, *people(200))
    taken = await asyncio.gather(*(append(fresh_store, clock, 60) for _ in range(8)))
    for heads in taken:
        await mark(fresh_store, heads)
    assert (await make_root(fresh_store, clock)).size == 200


async def test_many_workers_sign_one_root(fresh_store: Store, clock: FrozenClock) -> None:
    await act(fresh_store, *people(3))
    await append(fresh_store, clock)
    signed = await asyncio.gather(*(sign(fresh_store, clock) for _ in range(8)))
    assert [root.number for root in signed if root] == [1]


async def test_a_worker_that_died_before_its_marks_leaves_no_second_leaf(
    fresh_store: Store, clock: FrozenClock
) -> None:
    everybody = people(20)
    await act(fresh_store, *everybody)
    await append(fresh_store, clock)
    again = await append(fresh_store, clock)
    assert [head.is_known for head in again] == [True] * 20
    assert (await make_root(fresh_store, clock)).size == 20


async def test_a_worker_that_died_within_a_step_leaves_nothing_of_it(
    fresh_store: Store, clock: FrozenClock
) -> None:
    await act(fresh_store, *people(20))

    async def dies() -> None:
        async with fresh_store.transaction() as tx:
            await append_changed(tx, fresh_store.keys, clock.now())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await dies()
    assert (await make_root(fresh_store, clock)).size == 20


async def test_a_head_that_moves_before_its_mark_comes_into_the_next_root(
    fresh_store: Store, clock: FrozenClock
) -> None:
    (patient_id,) = people(1)
    await act(fresh_store, patient_id)
    heads = await append(fresh_store, clock)
    await act(fresh_store, patient_id)
    await mark(fresh_store, heads)
    assert (await make_root(fresh_store, clock)).size == 2


async def test_a_mark_waits_for_no_read_and_takes_none_of_it_away(
    fresh_store: Store, clock: FrozenClock
) -> None:
    (patient_id,) = people(1)
    await act(fresh_store, patient_id)
    heads = await append(fresh_store, clock)
    async with fresh_store.transaction() as tx:
        await record_act(tx, patient_id, ACTOR, "visit:arrival:create", request_id="r", now=START)
        async with asyncio.timeout(20):
            await mark(fresh_store, heads)
    assert (await make_root(fresh_store, clock)).size == 2


async def test_nothing_new_is_said_again_after_an_hour_only(fresh_store: Store, clock: FrozenClock) -> None:
    first = await sign(fresh_store, clock)
    assert first is not None
    assert (first.size, first.hash) == (0, EMPTY.hex())
    clock.advance(minutes=59)
    assert await sign(fresh_store, clock) is None
    clock.advance(minutes=1)
    again = await sign(fresh_store, clock)
    assert again is not None
    assert (again.number, again.prev) == (2, root_id(first))


async def test_s26_the_head_of_the_operators_chain_is_in_the_root(
    fresh_store: Store, clock: FrozenClock
) -> None:
    assert (await make_root(fresh_store, clock)).operators is None
    async with fresh_store.transaction() as tx:
        await record_admin_event(tx, "op-1", "admin:facility:create", "opening", 1, clock.now())
    root = await sign(fresh_store, clock)
    assert root is not None
    assert root.operators is not None
    assert root.operators.seq == 1


async def test_s12_a_restored_backup_begins_a_log_of_its_own(fresh_owner: Store, clock: FrozenClock) -> None:
    """It contradicts no root of the lost one, and signs the last root that is still known."""
    (patient_id,) = people(1)
    await act(fresh_owner, patient_id)
    before = await make_root(fresh_owner, clock)
    async with fresh_owner.transaction() as tx:
        await tx.execute("INSERT INTO security_epoch (number, started_at) VALUES (1, $1)", clock.now())
    await act(fresh_owner, patient_id)
    after = await make_root(fresh_owner, clock)
    assert (after.epoch, after.size, after.number) == (1, 1, 2)
    assert after.log != before.log
    assert after.prev == root_id(before)


async def test_s25_a_leaf_names_nobody(fresh_store: Store, clock: FrozenClock) -> None:
    (patient_id,) = people(1)
    name = pseudonym(fresh_store.keys, patient_id)
    assert name == pseudonym(fresh_store.keys, patient_id)
    assert patient_id.hex not in name
    assert name != pseudonym(fresh_store.keys, people(1)[0])
    await act(fresh_store, patient_id)
    text = msgspec.json.encode(await make_root(fresh_store, clock)).decode()
    assert str(patient_id) not in text
    assert name not in text


@pytest.mark.parametrize("table", ["audit_leaf", "audit_tile", "audit_root", "audit_cosignature"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET epoch = 7", "DELETE FROM {}", "TRUNCATE {}"])
async def test_s21_the_program_cannot_change_the_log_of_heads(
    store: Store, table: str, statement: str
) -> None:
    if table == "audit_cosignature":
        statement = statement.replace("epoch", "number")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with store.transaction() as tx:
            await tx.execute(statement.format(table))


async def test_the_newest_root_is_found(fresh_store: Store, clock: FrozenClock) -> None:
    async with fresh_store.transaction() as tx:
        assert await newest(tx) is None
    root = await make_root(fresh_store, clock)
    async with fresh_store.transaction() as tx:
        assert await newest(tx) == root
