"""Outbox and due queue: claimed once by whoever comes, kept on a rollback, moved on re-arming."""

import asyncio
import contextlib
from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest

from kernel.ids import bucket_of, uuid7
from store.database import Store
from store.due_queue import claim_due, due_until, schedule, schedule_many
from store.models import Event
from store.outbox import buckets_with_events, claim_events, emit, postpone_event
from tests.support.clock import FrozenClock


class UndoError(Exception):
    """Rolls a test's transaction back."""


async def claim_and_fail(store: Store, clock: FrozenClock, bucket: int) -> list[Event]:
    """A worker that takes what is there and dies before its commit."""
    events: list[Event] = []
    with contextlib.suppress(UndoError):
        async with store.transaction() as tx:
            events = await claim_events(tx, bucket, clock.now())
            raise UndoError
    return events


async def emit_many(store: Store, clock: FrozenClock, person: UUID, count: int) -> None:
    async with store.transaction() as tx:
        for number in range(count):
            await emit(tx, person, "test.happened", {"number": str(number)}, clock.now())


async def test_an_emitted_event_is_claimed_once(fresh_store: Store, clock: FrozenClock) -> None:
    person = uuid7(clock.now())
    await emit_many(fresh_store, clock, person, 1)
    async with fresh_store.transaction() as tx:
        assert await buckets_with_events(tx, clock.now()) == [bucket_of(person)]
        events = await claim_events(tx, bucket_of(person), clock.now())
    assert [(e.patient_id, e.event, e.ref, e.attempts) for e in events] == [
        (person, "test.happened", '{"number":"0"}', 0)
    ]
    async with fresh_store.transaction() as tx:
        assert await claim_events(tx, bucket_of(person), clock.now()) == []


async def test_concurrent_claimers_lose_no_event_and_take_none_twice(
    fresh_store: Store, clock: FrozenClock
) -> None:
    person = uuid7(clock.now())
    bucket = bucket_of(person)
    await emit_many(fresh_store, clock, person, 400)

    async def drain() -> list[str]:
        taken: list[str] = []
        while True:
            async with fresh_store.transaction() as tx:
                events = await claim_events(tx, bucket, clock.now(), limit=7)
                await asyncio.sleep(0)  # hold the rows while the others claim
            if not events:
                return taken
            taken += [event.ref for event in events]

    by_claimer = await asyncio.gather(*(drain() for _ in range(6)))
    counted = Counter(ref for refs in by_claimer for ref in refs)
    assert set(counted.values()) == {1}
    # A claimer may see an empty queue while others still hold rows; nothing is lost by that.
    assert len(counted) == 400


async def test_an_event_returns_when_its_effects_roll_back(fresh_store: Store, clock: FrozenClock) -> None:
    person = uuid7(clock.now())
    await emit_many(fresh_store, clock, person, 3)
    assert len(await claim_and_fail(fresh_store, clock, bucket_of(person))) == 3
    async with fresh_store.transaction() as tx:
        assert len(await claim_events(tx, bucket_of(person), clock.now())) == 3


async def test_a_postponed_event_waits_and_counts_its_attempts(
    fresh_store: Store, clock: FrozenClock
) -> None:
    person = uuid7(clock.now())
    await emit_many(fresh_store, clock, person, 1)
    (event,) = await claim_and_fail(fresh_store, clock, bucket_of(person))
    async with fresh_store.transaction() as tx:
        assert await postpone_event(tx, event, clock.now() + timedelta(minutes=1)) == 1
        assert await claim_events(tx, bucket_of(person), clock.now()) == []
    async with fresh_store.transaction() as tx:
        (again,) = await claim_events(tx, bucket_of(person), clock.advance(minutes=1))
    assert again.attempts == 1


async def test_an_event_refuses_a_reference_that_is_a_text(store: Store, clock: FrozenClock) -> None:
    with pytest.raises(ValueError, match="not a text"):
        async with store.transaction() as tx:
            await emit(tx, uuid7(clock.now()), "test.happened", {"note": "x" * 65}, clock.now())


async def test_scheduling_again_moves_the_timer(fresh_store: Store, clock: FrozenClock) -> None:
    now = clock.now()
    async with fresh_store.transaction() as tx:
        await schedule(tx, 9, now, "grant-expiry", "g1")
        await schedule(tx, 9, now + timedelta(hours=1), "grant-expiry", "g1")
        assert await due_until(tx, now) == []
        assert await claim_due(tx, 9, now, 10) == []
    async with fresh_store.transaction() as tx:
        (due,) = await claim_due(tx, 9, clock.advance(hours=1), 10)
    assert (due.kind, due.ref) == ("grant-expiry", "g1")


async def test_many_timers_are_set_and_moved_by_one_statement_and_claimed_by_kind(
    fresh_store: Store, clock: FrozenClock
) -> None:
    now = clock.now()
    async with fresh_store.transaction() as tx:
        await schedule(tx, 9, now, "other", "o1")
        await schedule_many(tx, 9, "dose", [("d1", now), ("d2", now)])
        await schedule_many(tx, 9, "dose", [("d2", now + timedelta(hours=1)), ("d3", now)])
        await schedule_many(tx, 9, "dose", [])
        found = await due_until(tx, now + timedelta(hours=2))
        assert {(one.bucket, one.kind, one.due_at) for one in found} == {(9, "other", now), (9, "dose", now)}
    async with fresh_store.transaction() as tx:
        taken = await claim_due(tx, 9, now, 10, "dose")
        assert {(due.kind, due.ref) for due in taken} == {("dose", "d1"), ("dose", "d3")}
        assert [due.ref for due in await claim_due(tx, 9, now, 10)] == ["o1"]


async def test_concurrent_claimers_of_due_rows_take_each_once(fresh_store: Store, clock: FrozenClock) -> None:
    async with fresh_store.transaction() as tx:
        for number in range(300):
            await schedule(tx, 3, clock.now(), "tick", str(number))

    async def drain() -> list[str]:
        taken: list[str] = []
        while True:
            async with fresh_store.transaction() as tx:
                rows = await claim_due(tx, 3, clock.now(), 11)
                await asyncio.sleep(0)
            if not rows:
                return taken
            taken += [row.ref for row in rows]

    by_claimer = await asyncio.gather(*(drain() for _ in range(5)))
    counted = Counter(ref for refs in by_claimer for ref in refs)
    assert len(counted) == 300
    assert set(counted.values()) == {1}
