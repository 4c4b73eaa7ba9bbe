"""Notices of a batch: each once, on every device that does not ring by itself, as each person wants it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from kernel.ids import uuid7
from notifications.bulk import Notice, notify_many, stable_id
from notifications.inbox import read_inbox
from notifications.preferences import DEFAULTS, set_preferences
from notifications.service import set_push_target
from notifications.sms import HOTLINE
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, make_citizen
from tests.support.record import own

NIGHT = datetime(2026, 11, 21, 23, 30, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh")).astimezone(UTC)


@pytest.fixture
async def people(store: Store, clock: FrozenClock) -> list[Citizen]:
    made = [await make_citizen(store, clock) for _ in range(3)]
    async with store.transaction() as tx:
        for number, one in enumerate(made):
            await set_push_target(tx, store.keys, one.actor, "fid", f"fid-{number}", clock.now())
    return made


def due(patient_id: UUID, at: datetime, key: str = "k", **more: object) -> Notice:
    return Notice(
        patient_id=patient_id,
        type_="medicine-due",
        key=key,
        expires_at=at + timedelta(hours=1),
        due_at=at,
        **more,
    )  # type: ignore[arg-type]


async def deliveries(store: Store, patient_id: UUID) -> list[tuple[str, UUID, datetime]]:
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT type, device_id, next_attempt_at FROM delivery WHERE patient_id = $1 ORDER BY 3, 1",
            patient_id,
        )
    return [tuple(row) for row in rows]


async def inbox(store: Store, patient_id: UUID) -> list[str]:
    async with store.transaction() as tx:
        page = await read_inbox(tx, patient_id, cursor=None, limit=50, hotline=HOTLINE)
    return [item.type for item in page.items]


async def test_a_batch_is_written_once_however_often_it_is_run(
    store: Store, clock: FrozenClock, people: list[Citizen]
) -> None:
    now = clock.now()
    batch = [due(one.patient_id, now) for one in people]
    async with store.transaction() as tx:
        first = await notify_many(tx, [*batch, batch[0]], now)
    async with store.transaction() as tx:
        again = await notify_many(tx, batch, clock.advance(seconds=5))
    assert first[:3] == [stable_id(one) for one in batch]
    assert len(set(first)) == 3
    assert again == [None] * 3
    for one in people:
        assert await deliveries(store, one.patient_id) == [("medicine-due", one.actor.device_id, now)]


async def test_a_phone_that_rings_by_itself_gets_no_push_and_the_inbox_has_the_notice(
    store: Store, clock: FrozenClock, people: list[Citizen]
) -> None:
    one, now = people[0], clock.now()
    other = replace(one.actor, device_id=uuid7(now))
    assert one.actor.device_id is not None
    async with store.transaction() as tx:
        await set_push_target(tx, store.keys, other, "fid", "an-old-phone", now)
        await notify_many(tx, [due(one.patient_id, now, covered=frozenset({one.actor.device_id}))], now)
    assert [row[1] for row in await deliveries(store, one.patient_id)] == [other.device_id]
    assert await inbox(store, one.patient_id) == ["medicine-due"]


async def test_s18_a_frozen_book_is_not_rung_and_its_neighbours_are(
    store: Store, owner: Store, clock: FrozenClock, people: list[Citizen]
) -> None:
    now = clock.now()
    async with owner.transaction() as tx:
        await tx.execute("UPDATE citizen SET state = 'frozen' WHERE patient_id = $1", people[1].patient_id)
    async with store.transaction() as tx:
        await notify_many(tx, [due(one.patient_id, now) for one in people], now)
    assert [len(await deliveries(store, one.patient_id)) for one in people] == [1, 0, 1]
    assert await inbox(store, people[1].patient_id) == ["medicine-due"]


async def test_each_person_of_a_batch_is_told_as_that_person_wants(
    store: Store, clock: FrozenClock, people: list[Citizen]
) -> None:
    clock.set(NIGHT)
    sleeper, away, quiet = people
    async with store.transaction() as tx:
        await set_preferences(tx, own(away.patient_id), replace(DEFAULTS, zone="Europe/Paris"), NIGHT)
        muted = replace(DEFAULTS, muted=frozenset({"record:push"}), zone="Europe/Paris")
        await set_preferences(tx, own(quiet.patient_id), muted, NIGHT)
        until = NIGHT + timedelta(days=7)
        for key in ("one", "two"):
            await notify_many(
                tx,
                [
                    Notice(patient_id=one.patient_id, type_="result-released", key=key, expires_at=until)
                    for one in people
                ],
                NIGHT,
            )
    assert [row[0] for row in await deliveries(store, away.patient_id)] == ["result-released"] * 2
    assert await deliveries(store, quiet.patient_id) == []
    ((type_, _, at),) = await deliveries(store, sleeper.patient_id)
    assert type_ == "news-waiting"
    assert at.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).hour == 6
    for one in people:
        assert await inbox(store, one.patient_id) == ["result-released"] * 2


async def test_what_was_due_by_day_and_comes_late_keeps_still_in_the_night(
    store: Store, clock: FrozenClock, people: list[Citizen]
) -> None:
    one, noon = people[0].patient_id, NIGHT - timedelta(hours=12)
    late = replace(due(one, noon), type_="exam-due", expires_at=NIGHT + timedelta(days=1))
    async with store.transaction() as tx:
        await notify_many(tx, [late, replace(due(one, noon, "dose"), expires_at=late.expires_at)], NIGHT)
    (now, _, at), (exam, _, morning) = await deliveries(store, one)
    # How late it is, is counted from when it was due.
    assert (now, at, exam) == ("medicine-due", noon, "exam-due")
    assert morning.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).hour == 6


@pytest.mark.parametrize(("what", "hour"), [("medicine-due", 23), ("vaccination-due", 6), ("exam-due", 6)])
async def test_what_concerns_somebody_one_acts_for_rings_at_night_where_ones_own_would(
    store: Store, people: list[Citizen], what: str, hour: int
) -> None:
    one, child = people[0].patient_id, people[1].patient_id
    notice = replace(
        due(one, NIGHT),
        type_="dependent-reminder",
        ref={"patient_id": str(child), "what": what},
        expires_at=NIGHT + timedelta(days=1),
    )
    async with store.transaction() as tx:
        await notify_many(tx, [notice], NIGHT)
    ((_, _, at),) = await deliveries(store, one)
    assert at.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).hour == hour


async def test_news_that_were_said_before_make_no_digest_of_their_own(
    store: Store, clock: FrozenClock, people: list[Citizen]
) -> None:
    one, until = people[0].patient_id, NIGHT + timedelta(days=7)
    notice = Notice(patient_id=one, type_="result-released", key="k", expires_at=until)
    async with store.transaction() as tx:
        await notify_many(tx, [notice], NIGHT)
        await notify_many(tx, [notice], NIGHT + timedelta(days=1))
    assert len(await deliveries(store, one)) == 1


async def test_the_inbox_sorts_times_that_have_ids_of_their_own_among_the_others(
    store: Store, clock: FrozenClock, people: list[Citizen]
) -> None:
    one, now = people[0].patient_id, clock.now()
    async with store.transaction() as tx:
        late = due(one, now + timedelta(minutes=2), "late")
        early = due(one, now - timedelta(minutes=2), "early")
        plain = Notice(patient_id=one, type_="device-added", key="k", expires_at=now + timedelta(days=1))
        await notify_many(tx, [late, early, plain], now)
        page = await read_inbox(tx, one, cursor=None, limit=50, hotline=HOTLINE)
    assert [item.id for item in page.items][::2] == [stable_id(late), stable_id(early)]
    assert page.items[1].type == "device-added"
