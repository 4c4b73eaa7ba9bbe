"""What operators see of the queue, and what they send again."""

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from kernel.ids import bucket_of
from notifications import metrics, queries
from notifications.bulk import Notice, notify_many
from notifications.delivery import claim_batch, settle_batch
from notifications.models import DeadLetter, Outcome
from notifications.service import set_push_target
from notifications.status import dead_letters, read_status, retry_dead
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, make_citizen
from tests.support.sql import nodes, plan_of


@pytest.fixture(autouse=True)
async def _empty(owner: Store) -> None:
    async with owner.transaction() as tx:
        await tx.execute("DELETE FROM delivery")


async def person(store: Store, clock: FrozenClock) -> Citizen:
    made = await make_citizen(store, clock)
    async with store.transaction() as tx:
        await set_push_target(tx, store.keys, made.actor, "fid", "fid", clock.now())
        now = clock.now()
        one = Notice(
            patient_id=made.patient_id,
            type_="medicine-due",
            key="k",
            due_at=now,
            expires_at=now + timedelta(hours=1),
        )
        await notify_many(tx, [one], now)
    return made


async def ended(delivery: Store, clock: FrozenClock, one: Citizen, outcome: Outcome) -> None:
    async with delivery.transaction() as tx:
        batch = await claim_batch(tx, delivery.keys, [bucket_of(one.patient_id)], clock.now())
        await settle_batch(tx, batch, [outcome] * len(batch), clock.now(), 0.0)


async def _died(store: Store, clock: FrozenClock) -> list[DeadLetter]:
    async with store.transaction() as tx:
        return await dead_letters(tx, clock.now(), 10)


async def test_operators_see_what_waits_how_late_it_left_and_what_died(
    store: Store, delivery: Store, clock: FrozenClock
) -> None:
    one = await person(store, clock)
    async with store.transaction() as tx:
        status = await read_status(tx, clock.advance(seconds=3))
    (line,) = status.waiting
    assert (line.channel, line.type, line.status, line.count, line.due) == (
        "push",
        "medicine-due",
        "pending",
        1,
        1,
    )
    assert line.oldest is not None
    assert clock.now() - line.oldest == timedelta(seconds=3)
    metrics.gauge(status.waiting, clock.now())
    assert REGISTRY.get_sample_value("healthbook_delivery_oldest_seconds", {"channel": "push"}) == 3
    assert REGISTRY.get_sample_value("healthbook_deliveries_waiting", {"channel": "sms"}) == 0
    labels = {"type": "medicine-due", "channel": "push", "outcome": "sent"}
    before = REGISTRY.get_sample_value("healthbook_deliveries_total", labels) or 0
    await ended(delivery, clock, one, Outcome(status="sent"))
    assert REGISTRY.get_sample_value("healthbook_deliveries_total", labels) == before + 1
    async with store.transaction() as tx:
        status = await read_status(tx, clock.now())
    (end,) = status.ended
    assert (end.status, end.count, end.late_p50, end.late_p99) == ("sent", 1, 3.0, 3.0)
    assert (status.waiting, status.dead) == ([], 0)


async def test_a_dead_letter_is_listed_with_its_reason_and_goes_again_while_its_time_is_not_over(
    store: Store, delivery: Store, clock: FrozenClock
) -> None:
    for code in ("unregistered", "invalid-message"):
        await ended(delivery, clock, await person(store, clock), Outcome(status="dropped", error_code=code))
    (letter,) = await _died(store, clock)
    assert (letter.error_code, letter.attempts) == ("invalid-message", 1)
    async with store.transaction() as tx:
        assert await retry_dead(tx, [letter.delivery_id], clock.now()) == 1
        assert await retry_dead(tx, [], clock.now()) == 0
        assert [line.status for line in (await read_status(tx, clock.now())).waiting] == ["pending"]


async def test_what_is_over_is_not_sent_again(store: Store, delivery: Store, clock: FrozenClock) -> None:
    one = await person(store, clock)
    await ended(delivery, clock, one, Outcome(status="dropped", error_code="invalid-message"))
    clock.advance(hours=2)
    assert len(await _died(store, clock)) == 1
    async with store.transaction() as tx:
        assert await retry_dead(tx, [], clock.now()) == 0


def test_what_nobody_knows_ever_more_often_is_told_once_a_stretch(clock: FrozenClock) -> None:
    growth = metrics.Growth(timedelta(minutes=5), 50)
    assert [growth.seen(30, clock.advance(seconds=10)) for _ in range(3)] == [False, True, False]
    clock.advance(seconds=300)
    # As many as before are no growth.
    assert [growth.seen(60, clock.advance(seconds=10)) for _ in range(3)] == [False, False, True]
    clock.advance(seconds=3600)
    assert growth.seen(50, clock.now())


async def test_a_look_at_the_last_day_reads_that_day_alone(owner: Store) -> None:
    async with owner.transaction() as tx:
        plans = [await plan_of(tx, one.sql) for one in (queries.ENDED, queries.WAITING)]
    used = [{node.get("Index Name") for node in nodes(plan)} - {None} for plan in plans]
    assert used[0] == {"delivery_settled"}
    assert used[1] <= {"delivery_due", "delivery_sending"}
    assert not any(node["Node Type"] == "Seq Scan" for node in nodes(plans[0]))
