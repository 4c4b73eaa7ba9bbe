"""Notices before the birthdays that change who may act: when they come, to whom, and that none of them is
what ends anything (consent.md §7)."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from family import hand_over
from family.attesting import Pair
from healthbook.dispatch import tick
from identity.births import service as births
from identity.people import _seal_demographics, demographics
from kernel.access import Access
from kernel.clock import VIETNAM, local_day, start_of_day
from kernel.ids import bucket_of
from store.database import Store
from store.due_queue import claim_due, schedule
from store.models import Due
from tests.consent.test_s24_record import drain
from tests.support.clock import FrozenClock
from tests.support.family import attest, may, midnight
from tests.support.people import Citizen, make_citizen, make_person

DAYS = st.dates(date(1930, 1, 1), date(2060, 12, 31))
SECOND = timedelta(seconds=1)


def morning(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 8, tzinfo=VIETNAM)


async def armed(owner: Store, child: UUID) -> datetime | None:
    sql = "SELECT due_at FROM due_queue WHERE bucket = $1 AND kind = 'hand-over' AND ref = $2"
    async with owner.transaction() as tx:
        found: datetime | None = await tx.fetchval(sql, bucket_of(child), str(child))
    return found


async def fire(store: Store, child: UUID, now: datetime) -> datetime | None:
    """The child's timer as the worker fires it; when it is armed for next."""
    bucket = bucket_of(child)
    async with store.transaction() as tx:
        due = [one for one in await claim_due(tx, bucket, now, 500, hand_over.JOB) if one.ref == str(child)]
        for one in due:
            again = await tick(tx, store.keys, one, now)
            if again is not None:
                await schedule(tx, bucket, again, hand_over.JOB, one.ref)
            return again
    return None


async def heard(owner: Store, person: UUID) -> list[dict[str, Any]]:
    sql = (
        "SELECT ref FROM notification WHERE patient_id = $1 AND type = 'hand-over-near'"
        " ORDER BY notification_id"
    )
    async with owner.transaction() as tx:
        return [msgspec.json.decode(row["ref"]) for row in await tx.fetch(sql, person)]


async def born(store: Store, clock: FrozenClock, mother: Citizen, birth_date: str) -> UUID:
    """A child with a book and no account, whose birth note has been taken out of the queue."""
    child, _ = await make_person(store, clock, name="Bé", birth_date=birth_date)
    async with store.transaction() as tx:
        await births.link(tx, child, mother.patient_id, None, clock.now())
    await drain(store, mother.patient_id, clock.now())
    return child


@given(DAYS, st.sampled_from([4, 7, 10]), DAYS)
def test_every_notice_comes_before_its_birthday_and_the_next_one_is_ahead(
    day: date, cut: int, today: date
) -> None:
    birth_date, now = day.isoformat()[:cut], morning(today) + timedelta(hours=3)
    steps = hand_over.steps(birth_date)
    assert [(one.age, one.days) for one in steps] == [(a, d) for a in (7, 15, 18) for d in (90, 30, 7)]
    for one in steps:
        assert one.at == morning(one.on - timedelta(days=one.days)) < start_of_day(one.on)
    step, ahead = hand_over.step_now(birth_date, now), hand_over.next_at(birth_date, now)
    assert step is None or (
        step.at <= now < start_of_day(step.on) and 0 < hand_over.days_left(step, now) <= 90
    )
    assert ahead is None or ahead > now


def test_without_a_birth_date_there_is_nothing_to_tell() -> None:
    assert hand_over.steps(None) == []


async def test_both_parents_and_the_young_person_hear_at_90_30_and_7_days_before_fifteen(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    mother, father = await make_citizen(store, clock), await make_citizen(store, clock, sex="male")
    youth = await make_citizen(store, clock, birth_date="2012-02-29")
    child, on = youth.patient_id, date(2027, 3, 1)
    for parent in (mother, father):
        async with store.transaction() as tx:
            await births.link(tx, child, parent.patient_id, None, clock.now())
        await drain(store, parent.patient_id, clock.now())
    for days in (90, 30, 7):
        at = morning(on - timedelta(days=days))
        assert await armed(owner, child) == at
        assert await fire(store, child, at - SECOND) is None
        clock.set(at)
        await fire(store, child, at)
    expected = [{"age": "15", "on": "2027-03-01", "days": str(days)} for days in (90, 30, 7)]
    assert await heard(owner, child) == expected
    for parent in (mother, father):
        assert await heard(owner, parent.patient_id) == [one | {"patient_id": str(child)} for one in expected]
    assert await armed(owner, child) == morning(date(2030, 3, 1) - timedelta(days=90))


async def test_a_child_without_a_device_has_no_inbox_that_waits_for_it(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    mother = await make_citizen(store, clock)
    child = await born(store, clock, mother, "2019-12-10")
    at = morning(date(2026, 12, 10) - timedelta(days=7))
    clock.set(at)
    await fire(store, child, at)
    assert [one["age"] for one in await heard(owner, mother.patient_id)] == ["7"]
    assert await heard(owner, child) == []


async def test_a_worker_that_slept_says_the_latest_alone_and_the_truth_about_the_days(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    mother = await make_citizen(store, clock)
    child = await born(store, clock, mother, "2012-08-20")
    late = morning(date(2027, 8, 20) - timedelta(days=4))
    await fire(store, child, late)
    await fire(store, child, late + timedelta(hours=1))
    assert [(one["age"], one["days"]) for one in await heard(owner, mother.patient_id)] == [("15", "4")]


async def test_a_link_made_after_a_notice_s_time_is_told_at_once_and_nobody_twice(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    mother, father = await make_citizen(store, clock), await make_citizen(store, clock, sex="male")
    today = local_day(clock.now())
    birthday = today + timedelta(days=20)
    child, number = await make_person(
        store, clock, name="Bé", birth_date=birthday.replace(year=birthday.year - 15).isoformat()
    )
    pair = Pair(child_number=number, guardian_number=mother.number, papers_seen=True)
    assert await attest(store, clock, pair) is None
    now = clock.now()
    assert await armed(owner, child) == now
    await fire(store, child, now)
    assert len(await heard(owner, mother.patient_id)) == 1
    async with store.transaction() as tx:
        await births.link(tx, child, father.patient_id, None, now)
    await drain(store, father.patient_id, now)
    await fire(store, child, now)
    for parent in (mother, father):
        assert [one["days"] for one in await heard(owner, parent.patient_id)] == ["20"]


async def test_a_corrected_birth_date_moves_the_timer(store: Store, owner: Store, clock: FrozenClock) -> None:
    mother = await make_citizen(store, clock)
    child = await born(store, clock, mother, "2012-08-20")
    assert await armed(owner, child) == morning(date(2027, 8, 20) - timedelta(days=90))
    other, _ = await make_person(store, clock, birth_date="2013-08-20")
    await correct(store, owner, child, other)
    async with store.transaction() as tx:
        await hand_over.plan(tx, store.keys, child, clock.now())
    assert await armed(owner, child) == morning(date(2028, 8, 20) - timedelta(days=90))


async def correct(store: Store, owner: Store, child: UUID, like: UUID) -> None:
    """Write another person's birth date over the child's."""
    async with store.transaction() as tx:
        known = await demographics(tx, store.keys, like)
    assert known is not None
    sealed = _seal_demographics(store.keys, child, "citizen", known)
    async with owner.transaction() as tx:
        await tx.execute("UPDATE citizen SET demographics = $2 WHERE patient_id = $1", child, sealed)


@pytest.mark.parametrize("born_on", ["2011-12-01", "2008-12-01", "2012-02-29", "2009-02-28"])
async def test_guardian_overreach_with_the_worker_stopped_the_request_at_midnight_is_refused(
    store: Store, owner: Store, clock: FrozenClock, born_on: str
) -> None:
    mother = await make_citizen(store, clock)
    child = await born(store, clock, mother, born_on)
    day = hand_over.steps(born_on)[5 if born_on >= "2010" else 8].on
    clock.set(midnight(day) - SECOND)
    assert isinstance(await may(store, clock, mother, child, "read-section"), Access)
    clock.set(midnight(day))
    refused = "not-in-your-care" if born_on >= "2010" else "not-your-book"
    assert await may(store, clock, mother, child, "answer-request") == refused
    assert await heard(owner, mother.patient_id) == []


async def test_a_timer_of_an_erased_or_grown_person_ends_by_itself(store: Store, clock: FrozenClock) -> None:
    grown = await make_citizen(store, clock)
    nobody = UUID("01985e2c-7a00-7abc-8def-0123456789ab")
    async with store.transaction() as tx:
        for one in (grown.patient_id, nobody):
            due = Due(bucket=bucket_of(one), kind=hand_over.JOB, ref=str(one), due_at=clock.now())
            assert await tick(tx, store.keys, due, clock.now()) is None
