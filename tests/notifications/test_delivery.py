"""At least once, never twice at once, and never late."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from kernel.access import Actor
from kernel.ids import bucket_of
from notifications import queries
from notifications.delivery import (
    SEND_DEADLINE_SECONDS,
    Outgoing,
    Senders,
    buckets_to_drain,
    claim_batch,
    send_batch,
    settle_batch,
)
from notifications.models import Outcome, PendingRow, PushMessage, SmsCode, SmsMessage
from notifications.policy import ATTEMPTS_MAX, LEASE
from notifications.ports import RecordingPushSender, RecordingSmsSender
from notifications.service import forget_device, notify, record_receipt, set_push_target
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, make_citizen

LIFE = timedelta(minutes=15)
CODE = SmsCode(code="482913", practitioner="BS An", facility_short="BV Dong Da", scope="tom tat", hours=24)


class FakePush:
    """A provider that answers as told and remembers what it got."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.got: list[PushMessage] = []

    async def send(self, batch: list[PushMessage]) -> list[Outcome]:
        self.got += batch
        return [self.outcomes.pop(0) for _ in batch]


class ForgetfulPush:
    async def send(self, batch: list[PushMessage]) -> list[Outcome]:  # noqa: ARG002 - it forgets them
        return []


class BrokenSms:
    async def send(self, message: SmsMessage) -> Outcome:
        raise ConnectionError(f"could not reach {message.phone}")


class SlowSms:
    """A gateway that answers nobody before it was asked by all."""

    def __init__(self, expected: int) -> None:
        self._together = asyncio.Barrier(expected)

    async def send(self, message: SmsMessage) -> Outcome:
        await self._together.wait()
        return Outcome(status="sent", message_id=str(message.id))


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    made = await make_citizen(store, clock)
    async with store.transaction() as tx:
        assert (
            await set_push_target(tx, store.keys, made.actor, "fid", "fid-of-the-phone", clock.now()) is None
        )
    return made


@pytest.fixture
def say(store: Store, clock: FrozenClock, citizen: Citizen) -> Callable[..., Awaitable[UUID | None]]:
    async def one(key: str = "k", **more: object) -> UUID | None:
        async with store.transaction() as tx:
            now = clock.now()
            return await notify(
                tx, store.keys, citizen.patient_id, "consent-request", key, now, now + LIFE, **more
            )

    return one


async def claim(store: Store, clock: FrozenClock, citizen: Citizen) -> list[Outgoing]:
    """This person's part of a claim: people of other tests can share the bucket."""
    async with store.transaction() as tx:
        batch = await claim_batch(tx, store.keys, [bucket_of(citizen.patient_id)], clock.now())
    return [item for item in batch if item.claimed.patient_id == citizen.patient_id]


async def settle(delivery: Store, clock: FrozenClock, batch: list[Outgoing], *outcomes: Outcome) -> None:
    async with delivery.transaction() as tx:
        await settle_batch(tx, batch, list(outcomes), clock.now(), jitter=0.5)


async def rows(store: Store, citizen: Citizen) -> list[PendingRow]:
    async with store.transaction() as tx:
        return [row for row in await queries.LATEST.all(tx, 1000) if row.patient_id == citizen.patient_id]


async def test_a_notice_is_said_once_however_often_it_is_written(
    delivery: Store,
    store: Store,
    clock: FrozenClock,
    citizen: Citizen,
    say: Callable[..., Awaitable[UUID | None]],
) -> None:
    assert await say("consent.requested:1") is not None
    assert await say("consent.requested:1") is None
    assert len(await claim(delivery, clock, citizen)) == 1


async def test_two_workers_never_hold_one_delivery_at_once(
    delivery: Store, clock: FrozenClock, citizen: Citizen, say: Callable[..., Awaitable[UUID | None]]
) -> None:
    await say()
    assert len(await claim(delivery, clock, citizen)) == 1
    assert await claim(delivery, clock, citizen) == []
    clock.advance(seconds=LEASE.total_seconds() - 1)
    assert await claim(delivery, clock, citizen) == []


async def test_a_worker_killed_between_send_and_commit_leaves_unknown_and_the_same_ids_go_again(
    delivery: Store,
    store: Store,
    clock: FrozenClock,
    citizen: Citizen,
    say: Callable[..., Awaitable[UUID | None]],
) -> None:
    await say()
    push = FakePush(Outcome(status="sent"), Outcome(status="sent"))
    senders = Senders(push, RecordingSmsSender())
    await send_batch(senders, await claim(delivery, clock, citizen))  # and here the worker dies
    clock.advance(seconds=LEASE.total_seconds())
    again = await claim(delivery, clock, citizen)
    outcomes = await send_batch(senders, again)
    await settle(delivery, clock, again, *outcomes)
    first, second = push.got
    assert first.id == second.id
    (row,) = await rows(store, citizen)
    assert row.status == "sent"


async def test_a_worker_that_wakes_after_its_lease_does_not_overwrite_the_next_one(
    delivery: Store,
    store: Store,
    clock: FrozenClock,
    citizen: Citizen,
    say: Callable[..., Awaitable[UUID | None]],
) -> None:
    await say()
    late = await claim(delivery, clock, citizen)
    clock.advance(seconds=LEASE.total_seconds())
    current = await claim(delivery, clock, citizen)
    await settle(delivery, clock, late, Outcome(status="failed"))
    assert (await rows(store, citizen))[0].status == "sending"
    await settle(delivery, clock, current, Outcome(status="sent"))
    assert (await rows(store, citizen))[0].status == "sent"


async def test_an_expired_delivery_is_dropped_and_its_code_is_gone(
    delivery: Store,
    store: Store,
    clock: FrozenClock,
    citizen: Citizen,
    say: Callable[..., Awaitable[UUID | None]],
) -> None:
    await say(sms=CODE, phone="+84912345678")
    clock.advance(seconds=LIFE.total_seconds())
    assert await claim(delivery, clock, citizen) == []
    found = await rows(store, citizen)
    assert {row.status for row in found} == {"dropped"}
    assert all(row.text_sealed is None and row.address_sealed is None for row in found)


async def test_a_sent_code_is_erased_at_once_and_a_recorded_one_when_it_expires(
    delivery: Store,
    store: Store,
    clock: FrozenClock,
    citizen: Citizen,
    say: Callable[..., Awaitable[UUID | None]],
) -> None:
    await say("sent", sms=CODE, phone="+84912345678")
    batch = await claim(delivery, clock, citizen)
    await settle(delivery, clock, batch, *[Outcome(status="sent", message_id="m1") for _ in batch])
    assert all(row.text_sealed is None for row in await rows(store, citizen))
    clock.advance(seconds=1)
    await say("recorded", sms=CODE, phone="+84912345678")
    batch = await claim(delivery, clock, citizen)
    senders = Senders(RecordingPushSender(), RecordingSmsSender())
    await settle(delivery, clock, batch, *await send_batch(senders, batch))
    assert [row.text_sealed is None for row in await rows(store, citizen)].count(False) == 1
    clock.advance(seconds=LIFE.total_seconds())
    assert await claim(delivery, clock, citizen) == []
    assert all(row.text_sealed is None for row in await rows(store, citizen))


async def test_a_device_that_signed_out_between_write_and_send_gets_nothing(
    delivery: Store,
    store: Store,
    clock: FrozenClock,
    citizen: Citizen,
    say: Callable[..., Awaitable[UUID | None]],
) -> None:
    await say()
    async with store.transaction() as tx:
        assert citizen.actor.device_id is not None
        await forget_device(tx, citizen.patient_id, citizen.actor.device_id)
    batch = await claim(delivery, clock, citizen)
    push = FakePush()
    await settle(delivery, clock, batch, *await send_batch(Senders(push, RecordingSmsSender()), batch))
    assert push.got == []
    assert (await rows(store, citizen))[0].status == "dropped"


async def test_a_dead_target_is_forgotten(
    delivery: Store,
    store: Store,
    clock: FrozenClock,
    citizen: Citizen,
    say: Callable[..., Awaitable[UUID | None]],
) -> None:
    await say()
    batch = await claim(delivery, clock, citizen)
    await settle(
        delivery, clock, batch, Outcome(status="failed", error_code="UNREGISTERED", target_dead=True)
    )
    async with store.transaction() as tx:
        left = await tx.fetch("SELECT 1 FROM push_target WHERE patient_id = $1", citizen.patient_id)
    assert left == []


async def test_retries_wait_longer_each_time_and_end(
    delivery: Store, store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    async with store.transaction() as tx:
        far = clock.now() + timedelta(days=1)
        await notify(tx, store.keys, citizen.patient_id, "link-made", "d", clock.now(), far)
    for _ in range(ATTEMPTS_MAX):
        batch = await claim(delivery, clock, citizen)
        assert len(batch) == 1
        await settle(delivery, clock, batch, Outcome(status="retry", error_code="UNAVAILABLE"))
        assert await claim(delivery, clock, citizen) == []
        clock.advance(seconds=300)
    assert await claim(delivery, clock, citizen) == []
    assert (await rows(store, citizen))[0].status == "failed"


async def test_a_provider_that_says_when_is_not_asked_before(
    delivery: Store, clock: FrozenClock, citizen: Citizen, say: Callable[..., Awaitable[UUID | None]]
) -> None:
    await say()
    batch = await claim(delivery, clock, citizen)
    await settle(delivery, clock, batch, Outcome(status="retry", retry_after_seconds=60))
    clock.advance(seconds=60)
    assert await claim(delivery, clock, citizen) == []
    clock.advance(seconds=15)
    assert len(await claim(delivery, clock, citizen)) == 1


async def test_a_slow_gateway_is_asked_for_all_at_once_so_that_a_batch_fits_its_lease(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen, say: Callable[..., Awaitable[UUID]]
) -> None:
    for n in range(5):
        await say(f"k{n}", sms=CODE, phone=citizen.phone_number)
    batch = await claim(delivery, clock, citizen)
    outcomes = await send_batch(Senders(RecordingPushSender(), SlowSms(5)), batch)
    sent = [out for item, out in zip(batch, outcomes, strict=True) if item.claimed.channel == "sms"]
    assert [outcome.status for outcome in sent] == ["sent"] * 5
    assert timedelta(seconds=SEND_DEADLINE_SECONDS) < LEASE


async def test_a_provider_that_answers_for_too_few_leaves_all_unknown(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen, say: Callable[..., Awaitable[UUID]]
) -> None:
    await say("k")
    batch = await claim(delivery, clock, citizen)
    (outcome,) = await send_batch(Senders(ForgetfulPush(), RecordingSmsSender()), batch)
    assert outcome.status == "unknown"


async def test_a_later_notice_of_a_device_waits_for_the_one_under_way(
    delivery: Store, clock: FrozenClock, citizen: Citizen, say: Callable[..., Awaitable[UUID | None]]
) -> None:
    await say("first")
    first = await claim(delivery, clock, citizen)
    clock.advance(seconds=1)
    await say("second")
    assert await claim(delivery, clock, citizen) == []
    await settle(delivery, clock, first, Outcome(status="sent"))
    assert len(await claim(delivery, clock, citizen)) == 1


async def test_a_silent_notice_is_in_the_inbox_and_nowhere_else(
    delivery: Store,
    store: Store,
    clock: FrozenClock,
    citizen: Citizen,
    say: Callable[..., Awaitable[UUID | None]],
) -> None:
    assert await say("fourth", silent=True) is not None
    assert await rows(store, citizen) == []


async def test_s22_a_provider_s_error_text_with_the_number_in_it_is_kept_nowhere(
    delivery: Store,
    owner: Store,
    clock: FrozenClock,
    citizen: Citizen,
    say: Callable[..., Awaitable[UUID | None]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    await say(sms=CODE, phone="+84912345678")
    batch = await claim(delivery, clock, citizen)
    outcomes = await send_batch(Senders(RecordingPushSender(), BrokenSms()), batch)
    await settle(delivery, clock, batch, *outcomes)
    assert {outcome.error_code for outcome in outcomes} == {None, "ConnectionError"}
    async with owner.transaction() as tx:
        kept = ""
        for table in ("notification", "delivery", "push_target", "outbox"):
            kept += str([dict(row) for row in await tx.fetch(f"SELECT * FROM {table}")])
    output = "".join(capsys.readouterr())
    for secret in ("912345678", "482913", "fid-of-the-phone"):
        assert secret not in kept
        assert secret not in output
        assert secret not in repr(batch)


async def test_s15_a_code_moved_to_another_person_s_row_is_not_sent(
    delivery: Store,
    owner: Store,
    store: Store,
    clock: FrozenClock,
    citizen: Citizen,
    say: Callable[..., Awaitable[UUID | None]],
) -> None:
    other = await make_citizen(store, clock)
    async with store.transaction() as tx:
        await notify(
            tx,
            store.keys,
            other.patient_id,
            "consent-code",
            "k",
            clock.now(),
            clock.now() + LIFE,
            sms=CODE,
            phone="+84987654321",
        )
    await say(sms=CODE, phone="+84912345678")
    async with owner.transaction() as tx:
        await tx.execute(
            "UPDATE delivery SET address_sealed = (SELECT address_sealed FROM delivery WHERE patient_id = $1"
            " AND channel = 'sms') WHERE patient_id = $2 AND channel = 'sms'",
            other.patient_id,
            citizen.patient_id,
        )
    batch = await claim(delivery, clock, citizen)
    moved = [item for item in batch if item.claimed.channel == "sms"]
    assert [item.settled.error_code for item in moved if item.settled] == ["seal-broken"]


async def test_idle_buckets_are_not_listed(
    delivery: Store, clock: FrozenClock, citizen: Citizen, say: Callable[..., Awaitable[UUID | None]]
) -> None:
    bucket = bucket_of(citizen.patient_id)
    await say()
    async with delivery.transaction() as tx:
        assert bucket in await buckets_to_drain(tx, clock.now())
    batch = await claim(delivery, clock, citizen)
    await settle(delivery, clock, batch, *[Outcome(status="sent") for _ in batch])
    async with delivery.transaction() as tx:
        assert bucket not in await buckets_to_drain(tx, clock.now())


async def test_a_session_without_a_device_has_no_push_target(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    web = Actor(kind="citizen", actor_id=citizen.patient_id)
    async with store.transaction() as tx:
        refused = await set_push_target(tx, store.keys, web, "fid", "x", clock.now())
    assert refused is not None
    assert refused.problem.code == "no-device"


def test_a_push_has_no_field_for_words() -> None:
    fields = {field.name for field in msgspec.structs.fields(PushMessage)}
    assert fields == {"target", "type", "id", "collapse", "expires_at", "platform", "language"}


async def test_what_nobody_knew_of_goes_again_to_the_device_that_did_not_report_it_alone(
    delivery: Store,
    store: Store,
    clock: FrozenClock,
    citizen: Citizen,
    say: Callable[..., Awaitable[UUID | None]],
) -> None:
    """The worker died after it had sent; the phone had the push, and said so."""
    reported = await say("reported")
    clock.advance(seconds=1)
    silent = await say("silent")
    assert reported is not None
    first = {item.claimed.notification_id for item in await claim(delivery, clock, citizen)}
    assert first == {reported, silent}
    async with store.transaction() as tx:
        device_id, now = citizen.actor.device_id, clock.now()
        assert await record_receipt(tx, citizen.patient_id, device_id, reported, "delivered", now) is None
    clock.advance(seconds=LEASE.total_seconds())
    again = await claim(delivery, clock, citizen)
    outcomes = {item.claimed.notification_id: item.settled for item in again}
    assert outcomes[reported] == Outcome(status="sent", error_code="received")
    await settle(delivery, clock, again, *[item.settled for item in again if item.settled])
    assert [item.claimed.notification_id for item in await claim(delivery, clock, citizen)] == [silent]
