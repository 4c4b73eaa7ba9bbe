"""Deliveries leave beside the rounds: a provider that hangs stops nothing but itself."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from healthbook.drains import Drain
from healthbook.worker import Worker
from kernel.ids import bucket_of
from notifications.breaker import HELD
from notifications.delivery import Senders
from notifications.models import NotificationType, Outcome, PushMessage, SmsMessage, SmsSignIn
from notifications.ports import RecordingPushSender, RecordingSmsSender
from notifications.service import notify, record_receipt, set_push_target
from store.database import Store
from store.outbox import emit
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, make_citizen

PHONE = "+84903111222"


class Hanging:
    """Answers nothing until it is let go."""

    def __init__(self) -> None:
        self.asked, self.released = asyncio.Event(), asyncio.Event()

    async def push(self, batch: list[PushMessage]) -> list[Outcome]:
        self.asked.set()
        await self.released.wait()
        return [Outcome(status="sent", message_id="m")] * len(batch)

    async def sms(self, _message: SmsMessage) -> Outcome:
        self.asked.set()
        await self.released.wait()
        return Outcome(status="sent", message_id="m")


class HangingPush(Hanging):
    send = Hanging.push


class HangingSms(Hanging):
    send = Hanging.sms


class Down:
    """Answers everything alike."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome, self.batches = outcome, 0

    async def send(self, batch: list[PushMessage]) -> list[Outcome]:
        self.batches += 1
        return [self.outcome] * len(batch)


async def say(store: Store, clock: FrozenClock, one: Citizen, type_: NotificationType, key: str) -> None:
    is_code, until = type_ == "sign-in-code", clock.now() + timedelta(days=3)
    sms, phone = (SmsSignIn(code="QXWRTB"), PHONE) if is_code else (None, None)
    async with store.transaction() as tx:
        await notify(tx, store.keys, one.patient_id, type_, key, clock.now(), until, sms=sms, phone=phone)


async def statuses(store: Store, one: Citizen, type_: NotificationType) -> list[str]:
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT status FROM delivery WHERE patient_id = $1 AND type = $2", one.patient_id, type_
        )
    return [row[0] for row in rows]


async def until(what: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(1000):
        if await what():
            return
        await asyncio.sleep(0.02)
    pytest.fail("it did not happen")


@pytest.fixture
async def citizen(store: Store, delivery: Store, clock: FrozenClock) -> Citizen:
    """Somebody with a phone, and nothing left to do."""
    made = await make_citizen(store, clock)
    async with store.transaction() as tx:
        await set_push_target(tx, store.keys, made.actor, "fid", "fid", clock.now())
    worker = Worker(store, delivery, Senders(RecordingPushSender(), RecordingSmsSender()), clock)
    while await worker.run_once():
        pass
    return made


async def test_a_push_provider_that_hangs_stops_no_sms_and_no_event(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    push, stop = HangingPush(), asyncio.Event()
    worker = Worker(store, delivery, Senders(push, RecordingSmsSender()), clock)
    await say(store, clock, citizen, "consent-request", "k")
    running = asyncio.create_task(worker.run(stop))
    await push.asked.wait()
    await say(store, clock, citizen, "sign-in-code", "c")
    async with store.transaction() as tx:
        await emit(tx, citizen.patient_id, "consent.granted", {"grant_id": "g"}, clock.now())

    async def has_left() -> bool:
        return await statuses(store, citizen, "sign-in-code") == ["sent"]

    async def is_handled() -> bool:
        return bool(await statuses(store, citizen, "consent-granted"))

    await until(has_left)
    await until(is_handled)
    assert await statuses(store, citizen, "consent-request") == ["sending"]
    # Whoever stops waits for what is under way.
    stop.set()
    await asyncio.sleep(0)
    assert not running.done()
    push.released.set()
    async with asyncio.timeout(10):
        await running
    assert await statuses(store, citizen, "consent-request") == ["sent"]


async def test_a_gateway_that_hangs_stops_no_push(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    sms, stop = HangingSms(), asyncio.Event()
    worker = Worker(store, delivery, Senders(RecordingPushSender(), sms), clock)
    await say(store, clock, citizen, "sign-in-code", "c")
    running = asyncio.create_task(worker.run(stop))
    await sms.asked.wait()
    await say(store, clock, citizen, "consent-request", "k")

    async def has_left() -> bool:
        return await statuses(store, citizen, "consent-request") == ["sent"]

    await until(has_left)
    stop.set()
    sms.released.set()
    async with asyncio.timeout(10):
        await running


async def test_an_outage_of_hours_makes_no_notice_that_lives_for_days_fail(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    push = Down(Outcome(status="unknown", error_code="deadline", attempted=False))
    drain = Drain(delivery, Senders(push, RecordingSmsSender()), clock)
    await say(store, clock, citizen, "result-released", "k")
    for _ in range(60):
        await drain.drain([bucket_of(citizen.patient_id)])
        clock.advance(minutes=6)
    assert push.batches >= 60
    assert await statuses(store, citizen, "result-released") == ["unknown"]
    push.outcome = Outcome(status="sent", message_id="m")
    await drain.drain([bucket_of(citizen.patient_id)])
    assert await statuses(store, citizen, "result-released") == ["sent"]


async def test_what_a_shut_way_may_have_let_through_is_not_sent_to_a_phone_that_has_it(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    push = Down(Outcome(status="unknown", error_code="deadline", attempted=False))
    drain = Drain(delivery, Senders(push, RecordingSmsSender()), clock)
    await say(store, clock, citizen, "result-released", "k")
    await drain.drain([bucket_of(citizen.patient_id)])
    async with store.transaction() as tx:
        item = await tx.fetchval(
            "SELECT notification_id FROM delivery WHERE patient_id = $1 AND type = 'result-released'",
            citizen.patient_id,
        )
        device = citizen.actor.device_id
        await record_receipt(tx, citizen.patient_id, device, item, "delivered", clock.now())
    clock.advance(minutes=6)
    await drain.drain([bucket_of(citizen.patient_id)])
    assert await statuses(store, citizen, "result-released") == ["sent"]
    assert push.batches == 1


async def test_a_channel_whose_way_is_shut_claims_nothing_until_it_may_be_tried(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    held = Outcome(status="retry", error_code=HELD, retry_after_seconds=30, attempted=False)
    push = Down(held)
    drain = Drain(delivery, Senders(push, RecordingSmsSender()), clock, ("push",))
    await say(store, clock, citizen, "consent-request", "1")
    await drain.run_once()
    await say(store, clock, citizen, "consent-request", "2")
    assert await drain.run_once() == 0
    assert push.batches == 1
    clock.advance(seconds=40)
    push.outcome = Outcome(status="sent", message_id="m")
    while await drain.run_once():
        pass
    assert await statuses(store, citizen, "consent-request") == ["sent"] * 2
