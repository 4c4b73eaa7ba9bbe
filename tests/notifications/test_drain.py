"""What a claim decides anew before anything leaves, and what it writes of what became of it."""

import asyncio
from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import get_args
from uuid import UUID

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from kernel.clock import VIETNAM
from kernel.ids import bucket_of, uuid7
from notifications.bulk import Notice, notify_many
from notifications.delivery import (
    MISMATCHED_MAX,
    Outgoing,
    Senders,
    claim_batch,
    forget_stale_targets,
    send_batch,
    settle_batch,
)
from notifications.groups import ESCALATES
from notifications.models import (
    Outcome,
    PushMessage,
    ReceiptKind,
    SmsMessage,
    SmsSecurity,
    SmsSignIn,
    TypedSms,
)
from notifications.ports import RecordingSmsSender
from notifications.preferences import DEFAULTS, set_preferences
from notifications.service import forget_device, notify, record_receipt, set_push_target
from notifications.sms_budget import NUMBER_A_DAY, NUMBER_KEPT, forget_budgets
from store.database import Store
from tests.support.clock import START, FrozenClock
from tests.support.people import Citizen, make_citizen
from tests.support.record import own

LIFE = timedelta(days=1)
FAR = START + timedelta(days=30)


class KeepingPush:
    """Takes everything, and remembers it."""

    def __init__(self, outcome: Outcome | None = None) -> None:
        self.got: list[PushMessage] = []
        self._outcome = outcome or Outcome(status="sent", message_id="m")

    async def send(self, batch: list[PushMessage]) -> list[Outcome]:
        self.got += batch
        return [self._outcome] * len(batch)


class KeepingSms:
    def __init__(self) -> None:
        self.got: list[SmsMessage] = []

    async def send(self, message: SmsMessage) -> Outcome:
        self.got.append(message)
        return Outcome(status="sent", message_id="s")


class Links:
    def __init__(self, standing: Collection[tuple[UUID, UUID]] | None) -> None:
        self._standing = standing

    async def standing(self, pairs: Collection[tuple[UUID, UUID]]) -> frozenset[tuple[UUID, UUID]]:
        if self._standing is None:
            raise ConnectionError
        return frozenset(pairs) & frozenset(self._standing)


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    made = await make_citizen(store, clock)
    async with store.transaction() as tx:
        await set_push_target(
            tx, store.keys, made.actor, "fid", "fid", clock.now(), platform="ios", language="en"
        )
    return made


async def claim(delivery: Store, clock: FrozenClock, citizen: Citizen) -> list[Outgoing]:
    async with delivery.transaction() as tx:
        batch = await claim_batch(tx, delivery.keys, [bucket_of(citizen.patient_id)], clock.now())
    return [item for item in batch if item.claimed.patient_id == citizen.patient_id]


async def drain(
    delivery: Store, clock: FrozenClock, citizen: Citizen, senders: Senders
) -> list[tuple[str, str | None]]:
    """One round of this person's. Returns (status, code) of each outcome."""
    batch = await claim(delivery, clock, citizen)
    outcomes = await send_batch(senders, batch)
    async with delivery.transaction() as tx:
        await settle_batch(tx, batch, outcomes, clock.now(), jitter=0.0)
    return [(outcome.status, outcome.error_code) for outcome in outcomes]


async def rows(store: Store, citizen: Citizen) -> list[tuple[str, str, str | None, int]]:
    async with store.transaction() as tx:
        found = await tx.fetch(
            "SELECT channel, status, error_code, attempts FROM delivery WHERE patient_id = $1 ORDER BY 1, 2",
            citizen.patient_id,
        )
    return [tuple(row) for row in found]


def news(citizen: Citizen, key: str, **more: object) -> Notice:
    return Notice(patient_id=citizen.patient_id, type_="result-released", key=key, expires_at=FAR, **more)  # type: ignore[arg-type]


async def say(store: Store, clock: FrozenClock, *notices: Notice) -> None:
    async with store.transaction() as tx:
        await notify_many(tx, notices, clock.now())


def senders(push: KeepingPush, sms: KeepingSms | None = None, links: Links | None = None) -> Senders:
    return Senders(push, sms or RecordingSmsSender(), links)


async def test_a_push_carries_what_its_device_is_and_speaks(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    push = KeepingPush()
    await say(store, clock, news(citizen, "k"))
    await drain(delivery, clock, citizen, senders(push))
    assert [(one.platform, one.language) for one in push.got] == [("ios", "en")]


async def test_a_device_that_names_no_language_shows_the_person_s(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    push = KeepingPush()
    async with store.transaction() as tx:
        await set_push_target(tx, store.keys, citizen.actor, "fid", "fid", clock.now())
    for wanted in ("vi", "en"):
        chosen = replace(DEFAULTS, language=wanted)
        async with store.transaction() as tx:
            await set_preferences(tx, own(citizen.patient_id), chosen, clock.now())
        await say(store, clock, news(citizen, wanted))
        await drain(delivery, clock, citizen, senders(push))
    assert [one.language for one in push.got] == ["vi", "en"]


async def test_what_goes_again_after_an_outage_keeps_still_in_quiet_hours_and_a_dose_rings(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    clock.set(datetime(2026, 11, 22, 21, 0, tzinfo=VIETNAM))
    push, down = KeepingPush(), KeepingPush(Outcome(status="retry", error_code="unavailable"))
    for type_ in ("exam-due", "device-added"):
        await say(store, clock, replace(news(citizen, type_), type_=type_))
    await drain(delivery, clock, citizen, senders(down))
    clock.set(datetime(2026, 11, 23, 2, 0, tzinfo=VIETNAM))
    outcomes = await drain(delivery, clock, citizen, senders(push))
    assert sorted(outcomes, key=str) == [("retry", "quiet"), ("sent", None)]
    clock.set(datetime(2026, 11, 23, 6, 15, tzinfo=VIETNAM))
    await drain(delivery, clock, citizen, senders(push))
    assert [one.type for one in push.got] == ["device-added", "exam-due"]


async def test_of_several_for_one_phone_the_first_leaves_and_the_others_take_their_turn(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    push, said = KeepingPush(), []
    for key in ("one", "two", "three"):
        async with store.transaction() as tx:
            said += await notify_many(tx, [news(citizen, key)], clock.advance(seconds=1))
    for left in (3, 2, 1):
        assert len(await drain(delivery, clock, citizen, senders(push))) == left
    assert [one.id for one in push.got] == said
    # A turn that was waited for is no attempt.
    assert await rows(store, citizen) == [("push", "sent", None, 1)] * 3


@pytest.mark.parametrize(
    ("state", "type_", "leaves"),
    [
        ("frozen", "device-added", False),
        ("closed", "device-added", False),
        ("erasing", "device-added", False),
        ("death-reported", "medicine-due", False),
        ("death-reported", "device-added", True),
    ],
)
async def test_s18_a_book_that_closed_between_write_and_send_is_not_rung(
    store: Store,
    owner: Store,
    delivery: Store,
    clock: FrozenClock,
    citizen: Citizen,
    state: str,
    type_: str,
    leaves: bool,
) -> None:
    push = KeepingPush()
    await say(store, clock, replace(news(citizen, "k"), type_=type_))
    async with owner.transaction() as tx:
        await tx.execute("UPDATE citizen SET state = $2 WHERE patient_id = $1", citizen.patient_id, state)
    outcomes = await drain(delivery, clock, citizen, senders(push))
    assert outcomes == [("sent", None) if leaves else ("dropped", "closed-book")]
    assert len(push.got) == leaves


async def test_s23_a_notice_about_somebody_whom_one_acts_for_no_more_is_dropped(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    push, child, other = KeepingPush(), uuid7(clock.now()), uuid7(clock.now())
    about = [news(citizen, str(one), ref={"patient_id": str(one)}) for one in (child, other)]
    for notice in about:
        await say(store, clock, notice)
        clock.advance(seconds=1)
    still = Links([(citizen.patient_id, child)])
    outcomes = [await drain(delivery, clock, citizen, senders(push, links=still)) for _ in range(2)]
    assert sorted(code for some in outcomes for _, code in some if code) == ["in-turn", "link-ended"]
    assert len(push.got) == 1


async def test_s23_where_nobody_knows_whether_a_link_stands_nothing_leaves_and_nothing_is_lost(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    push, child = KeepingPush(), uuid7(clock.now())
    await say(store, clock, news(citizen, "k", ref={"patient_id": str(child)}))
    await drain(delivery, clock, citizen, senders(push, links=Links(None)))
    assert push.got == []
    clock.advance(seconds=60)
    await drain(delivery, clock, citizen, senders(push, links=Links([(citizen.patient_id, child)])))
    assert len(push.got) == 1
    assert await rows(store, citizen) == [("push", "sent", None, 1)]


async def test_a_quota_of_one_device_pauses_that_device_alone_and_no_target_goes(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    full = KeepingPush(Outcome(status="retry", error_code="quota", retry_after_seconds=30))
    await say(store, clock, news(citizen, "one"))
    await say(store, clock, replace(news(citizen, "two"), due_at=clock.now() + timedelta(seconds=5)))
    await drain(delivery, clock, citizen, senders(full))
    for _ in range(2):
        clock.advance(seconds=14)
        assert await claim(delivery, clock, citizen) == []
    clock.advance(seconds=10)
    assert len(await claim(delivery, clock, citizen)) == 2


async def _another_device(store: Store, clock: FrozenClock, citizen: Citizen) -> None:
    async with store.transaction() as tx:
        other = replace(citizen.actor, device_id=uuid7(clock.now()))
        await set_push_target(tx, store.keys, other, "fid", "another", clock.now())


async def test_a_device_that_is_rung_too_often_leaves_the_others_of_its_bucket_alone(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    full = KeepingPush(Outcome(status="retry", error_code="quota", retry_after_seconds=86400))
    await say(store, clock, news(citizen, "one"))
    await drain(delivery, clock, citizen, senders(full))
    await _another_device(store, clock, citizen)
    await say(store, clock, news(citizen, "two"))
    assert len(await claim(delivery, clock, citizen)) == 2


async def test_a_quota_of_the_project_pauses_what_can_wait_and_never_a_request(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    await _another_device(store, clock, citizen)
    push, full = (
        KeepingPush(),
        KeepingPush(Outcome(status="retry", error_code="quota", retry_after_seconds=60)),
    )
    for type_ in ("result-released", "consent-request", "medicine-due"):
        due_at = clock.now() + timedelta(seconds=5 * (type_ == "medicine-due"))
        await say(store, clock, replace(news(citizen, type_), type_=type_, due_at=due_at))
    assert len(await drain(delivery, clock, citizen, senders(full))) == 4
    clock.advance(seconds=6)
    await drain(delivery, clock, citizen, senders(push))
    assert [one.type for one in push.got] == ["consent-request"] * 2
    clock.advance(seconds=70)
    await drain(delivery, clock, citizen, senders(push))
    assert sorted(one.type for one in push.got[2:]) == ["medicine-due"] * 2 + ["result-released"] * 2


async def test_targets_stay_where_a_wrong_account_is_refused_everywhere(
    store: Store, owner: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    wrong = KeepingPush(Outcome(status="failed", error_code="sender-mismatch", target_dead=True))
    left = "SELECT count(*) FROM push_target WHERE patient_id = $1"
    for number in range(MISMATCHED_MAX):
        async with store.transaction() as tx:
            await set_push_target(tx, store.keys, citizen.actor, "fid", str(number), clock.now())
        await say(store, clock, news(citizen, str(number)))
        clock.advance(seconds=1)
        with capture_logs() as logs:
            await drain(delivery, clock, citizen, senders(wrong))
        is_last = number == MISMATCHED_MAX - 1
        async with store.transaction() as tx:
            assert await tx.fetchval(left, citizen.patient_id) == is_last
        assert ("push_sender_mismatch" in [log["event"] for log in logs]) is is_last


async def test_a_target_that_was_set_anew_while_the_old_one_died_stays(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    await say(store, clock, news(citizen, "k"))
    batch = await claim(delivery, clock, citizen)
    async with store.transaction() as tx:
        await set_push_target(tx, store.keys, citizen.actor, "fid", "new", clock.advance(seconds=2))
    async with delivery.transaction() as tx:
        dead = Outcome(status="failed", error_code="unregistered", target_dead=True)
        await settle_batch(tx, batch, [dead], clock.now(), 0.0)
    async with store.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM push_target WHERE patient_id = $1", citizen.patient_id)


async def test_a_lease_that_was_lost_settles_nothing(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    await say(store, clock, news(citizen, "k"))
    first = await claim(delivery, clock, citizen)
    clock.advance(seconds=31)
    second = await claim(delivery, clock, citizen)
    async with delivery.transaction() as tx:
        await settle_batch(tx, first, [Outcome(status="failed")], clock.now(), 0.0)
    assert await rows(store, citizen) == [("push", "sending", "lease-expired", 2)]
    async with delivery.transaction() as tx:
        await settle_batch(tx, second, [Outcome(status="sent")], clock.now(), 0.0)
    assert await rows(store, citizen) == [("push", "sent", None, 2)]


async def _security(
    store: Store, clock: FrozenClock, citizen: Citizen, ref: dict[str, str] | None = None
) -> UUID:
    async with store.transaction() as tx:
        now = clock.now()
        said = await notify(tx, store.keys, citizen.patient_id, "device-added", "k", now, now + LIFE, ref=ref)
    assert said is not None
    return said


async def test_a_security_notice_that_no_device_answered_goes_by_sms_with_a_constant_text(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    push, sms = KeepingPush(), KeepingSms()
    await _security(store, clock, citizen)
    await drain(delivery, clock, citizen, senders(push, sms))
    assert (len(push.got), sms.got) == (1, [])
    clock.advance(seconds=ESCALATES["device-added"].after.total_seconds())
    await drain(delivery, clock, citizen, senders(push, sms))
    (one,) = sms.got
    assert (one.phone, one.sms) == (citizen.phone_number, SmsSecurity())


@pytest.mark.parametrize(("kind", "is_told"), [("delivered", True), ("opened", False), ("acted", False)])
async def test_whoever_looked_on_a_trusted_device_gets_no_sms(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen, kind: ReceiptKind, is_told: bool
) -> None:
    sms = KeepingSms()
    await _report(store, clock, citizen, await _security(store, clock, citizen), kind)
    clock.advance(hours=1)
    await drain(delivery, clock, citizen, senders(KeepingPush(), sms))
    assert len(sms.got) == is_told
    assert (("sms", "dropped", "answered", 1) in await rows(store, citizen)) is not is_told


async def _report(store: Store, clock: FrozenClock, citizen: Citizen, said: UUID, kind: ReceiptKind) -> None:
    async with store.transaction() as tx:
        device = citizen.actor.device_id
        assert await record_receipt(tx, citizen.patient_id, device, said, kind, clock.now()) is None


@pytest.mark.parametrize("why", ["on probation", "enrolled after", "about itself"])
async def test_s8_a_new_device_does_not_silence_the_warning_about_itself(
    store: Store, owner: Store, delivery: Store, clock: FrozenClock, citizen: Citizen, why: str
) -> None:
    sms, ref = KeepingSms(), {"device_id": str(citizen.actor.device_id)}
    said = await _security(store, clock, citizen, ref=ref if why == "about itself" else None)
    later, whose = clock.now() + timedelta(hours=1), citizen.patient_id
    async with owner.transaction() as tx:
        if why == "on probation":
            await tx.execute("UPDATE device SET probation_until = $2 WHERE patient_id = $1", whose, later)
        if why == "enrolled after":
            await tx.execute("UPDATE device SET enrolled_at = $2 WHERE patient_id = $1", whose, later)
    for kind in get_args(ReceiptKind):
        await _report(store, clock, citizen, said, kind)
    clock.advance(hours=1)
    await drain(delivery, clock, citizen, senders(KeepingPush(), sms))
    assert [one.sms for one in sms.got] == [SmsSecurity()]


async def test_a_notice_of_no_security_never_goes_by_sms(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    await say(store, clock, news(citizen, "k"))
    assert [row[0] for row in await rows(store, citizen)] == ["push"]


async def test_a_number_gets_so_many_sms_a_day_and_more_on_the_next(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    sms = KeepingSms()
    async with store.transaction() as tx:
        await forget_device(tx, citizen.patient_id, citizen.actor.device_id)  # type: ignore[arg-type]
        for number in range(NUMBER_A_DAY + 2):
            now = clock.now()
            await notify(
                tx,
                store.keys,
                citizen.patient_id,
                "sign-in-code",
                str(number),
                now,
                now + LIFE,
                sms=SmsSecurity(),
                phone="+84999000111",
            )
    outcomes = await drain(delivery, clock, citizen, senders(KeepingPush(), sms))
    # What is too much for today waits for tomorrow, or dies where its time is over by then.
    assert outcomes.count(("retry", "budget")) == 2
    assert len(sms.got) == NUMBER_A_DAY
    clock.advance(days=1)
    await _code(store, clock, citizen)
    assert await drain(delivery, clock, citizen, senders(KeepingPush(), sms)) == [("sent", None)]
    async with store.transaction() as tx:
        days = "SELECT count(DISTINCT day) FROM sms_budget"
        assert await tx.fetchval(days) == 2
        assert await forget_budgets(tx, clock.now(), 1000) >= 2
        assert await tx.fetchval(days) == 1


@pytest.mark.parametrize("together", [False, True])
async def test_a_flood_of_codes_leaves_room_for_a_warning(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen, together: bool
) -> None:
    sms, phone = KeepingSms(), "+84999000223" if together else "+84999000222"

    async def say(key: str, text: TypedSms) -> None:
        async with store.transaction() as tx:
            now, me = clock.now(), citizen.patient_id
            await notify(tx, store.keys, me, "sign-in-code", key, now, now + LIFE, sms=text, phone=phone)

    async with store.transaction() as tx:
        await forget_device(tx, citizen.patient_id, citizen.actor.device_id)  # type: ignore[arg-type]
    for number in range(NUMBER_A_DAY + 2):
        await say(f"code {number}", SmsSignIn(code="ABCDEF"))
    if not together:
        await drain(delivery, clock, citizen, senders(KeepingPush(), sms))
    for number in range(NUMBER_KEPT):
        await say(f"warning {number}", SmsSecurity())
    await drain(delivery, clock, citizen, senders(KeepingPush(), sms))
    left = Counter(type(one.sms) for one in sms.got)
    assert left[SmsSecurity] == NUMBER_KEPT, "in whichever order they are met"
    assert NUMBER_A_DAY - 2 * NUMBER_KEPT <= left[SmsSignIn] <= NUMBER_A_DAY - NUMBER_KEPT
    await say("one more", SmsSignIn(code="ABCDEF"))
    await drain(delivery, clock, citizen, senders(KeepingPush(), sms))
    assert len(sms.got) == sum(left.values())


class HeldSms:
    """A gateway that its breaker leaves alone: nothing is asked of it."""

    async def send(self, _message: SmsMessage) -> Outcome:
        return Outcome(status="retry", error_code="breaker", retry_after_seconds=30, attempted=False)


async def test_what_a_shut_gateway_never_sent_costs_no_budget_and_leaves_when_it_opens(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    sms = KeepingSms()
    async with store.transaction() as tx:
        await forget_device(tx, citizen.patient_id, citizen.actor.device_id)  # type: ignore[arg-type]
        await tx.execute("DELETE FROM sms_budget")
    await _code(store, clock, citizen)
    for _ in range(NUMBER_A_DAY + 2):
        held = await drain(delivery, clock, citizen, Senders(KeepingPush(), HeldSms()))
        assert held == [("retry", "breaker")]
        clock.advance(seconds=40)
    assert await drain(delivery, clock, citizen, senders(KeepingPush(), sms)) == [("sent", None)]
    assert len(sms.got) == 1
    async with store.transaction() as tx:
        used = await tx.fetch("SELECT used FROM sms_budget")
    assert [row[0] for row in used] == [1, 1]


async def _code(store: Store, clock: FrozenClock, citizen: Citizen) -> None:
    async with store.transaction() as tx:
        now = clock.now()
        await notify(
            tx,
            store.keys,
            citizen.patient_id,
            "sign-in-code",
            "tomorrow",
            now,
            now + LIFE,
            sms=SmsSecurity(),
            phone="+84999000111",
        )


async def test_two_workers_share_the_deliveries_of_a_bucket_and_none_goes_twice(
    store: Store, delivery: Store, clock: FrozenClock
) -> None:
    people = [await make_citizen(store, clock) for _ in range(8)]
    async with store.transaction() as tx:
        for one in people:
            await set_push_target(tx, store.keys, one.actor, "fid", str(one.patient_id), clock.now())
        await notify_many(tx, [news(one, "k") for one in people], clock.now())
    push = KeepingPush()
    both = [drain(delivery, clock, one, senders(push)) for one in people for _ in range(2)]
    await asyncio.gather(*both)
    assert len({one.id for one in push.got}) == len(push.got)


async def test_a_phone_that_said_nothing_for_nine_months_is_forgotten(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    fresh = await make_citizen(store, clock)
    async with store.transaction() as tx:
        for person, now in ((citizen, clock.now()), (fresh, clock.advance(seconds=1))):
            await set_push_target(tx, store.keys, person.actor, "fid", "x", now)
        await forget_stale_targets(tx, clock.now(), 1000)
        left = await tx.fetch(
            "SELECT patient_id FROM push_target WHERE patient_id = ANY($1)",
            [citizen.patient_id, fresh.patient_id],
        )
    assert [row[0] for row in left] == [fresh.patient_id]
