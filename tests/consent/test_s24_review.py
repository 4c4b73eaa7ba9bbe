"""Disputes, late arrivals and reviews of broken glass (security.md S24, S23)."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from consent import standing
from consent.emergency import arrivals, personal, policy
from consent.emergency.models import Emergency
from consent.emergency_reviews import queries as review_queries
from consent.emergency_reviews import service as reviews
from healthbook.dispatch import tick
from healthbook.doctor.work import late_answers
from identity.register import changes
from identity.units import service as units
from identity.units.models import RestoredEmergency
from kernel.access import Access
from kernel.problems import Refused
from store.database import Store
from store.models import Due
from tests.support.clock import FrozenClock
from tests.support.consent import TRACE, code_of, count, own, read
from tests.support.emergency import Unit, make_unit, place_in
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, sign_in_again

SECOND = timedelta(seconds=1)
START_OF_LIST = (datetime.min.replace(tzinfo=UTC), UUID(int=0))


@pytest.fixture
async def unit(store: Store, clock: FrozenClock) -> Unit:
    return await make_unit(store, clock)


async def other_reviewer(store: Store, unit: Unit) -> Doctor:
    return await make_doctor(store, unit.clock, unit.facility, role="privacy-officer")


async def suspended(store: Store, unit: Unit) -> bool:
    async with store.transaction() as tx:
        return await units.is_suspended(tx, unit.doctor.practitioner_id)


async def late(store: Store, unit: Unit) -> set[UUID]:
    async with store.transaction() as tx:
        return {one.emergency_id for one in await reviews.overdue(tx, START_OF_LIST, 100, unit.clock.now())}


async def test_s24_alone_the_arrival_may_follow_within_the_hour(store: Store, clock: FrozenClock) -> None:
    unit, citizen = await make_unit(store, clock, alone=True), await make_citizen(store, clock)
    made = await unit.break_glass(citizen)
    assert isinstance(made, Emergency)
    assert made.arrival_by == made.opened_at + timedelta(hours=1)
    assert isinstance(await read(store, clock, unit.doctor, citizen.patient_id), Access)
    clock.set(made.arrival_by)
    await unit.arrive(citizen)
    clock.advance(hours=2)
    await sign_in_again(store, clock, unit.doctor)
    assert isinstance(await read(store, clock, unit.doctor, citizen.patient_id), Access)
    async with store.transaction() as tx:
        await arrivals.settle(tx, citizen.patient_id, made.emergency_id, clock.now())
    assert not await suspended(store, unit)


async def test_s24_a_missing_arrival_ends_it_suspends_and_is_reviewed_at_once(
    store: Store, clock: FrozenClock
) -> None:
    unit, citizen = await make_unit(store, clock, alone=True), await make_citizen(store, clock)
    made = await unit.break_glass(citizen)
    assert isinstance(made, Emergency)
    assert made.arrival_by is not None
    clock.set(made.arrival_by - SECOND)
    await sign_in_again(store, clock, unit.doctor)
    assert isinstance(await read(store, clock, unit.doctor, citizen.patient_id), Access)
    clock.set(made.arrival_by)
    assert await read(store, clock, unit.doctor, citizen.patient_id) == "no-access"
    due = Due(
        bucket=0,
        kind="emergency-arrival",
        ref=f"{citizen.patient_id}:{made.emergency_id}",
        due_at=clock.now(),
    )
    async with store.transaction() as tx:
        assert await tick(tx, store.keys, due, clock.now()) is None
    assert await suspended(store, unit)
    assert made.emergency_id in await late(store, unit)


async def test_s24_a_missing_arrival_is_found_without_the_worker(store: Store, clock: FrozenClock) -> None:
    """No timer ran: the next attempt of the same doctor settles it first."""
    unit, citizen = await make_unit(store, clock, alone=True), await make_citizen(store, clock)
    assert isinstance(await unit.break_glass(citizen), Emergency)
    clock.advance(hours=1, seconds=1)
    other = await make_citizen(store, clock)
    await unit.arrive(other)
    assert code_of(await unit.break_glass(other)) == "emergency-access-suspended"


async def test_s24_an_arrival_noted_too_late_is_missing(store: Store, clock: FrozenClock) -> None:
    unit, citizen = await make_unit(store, clock, alone=True), await make_citizen(store, clock)
    assert isinstance(await unit.break_glass(citizen), Emergency)
    clock.advance(hours=1, seconds=1)
    await unit.arrive(citizen)
    assert await read(store, clock, unit.doctor, citizen.patient_id) in ("no-access", "signed-out")


async def test_s24_a_dispute_ends_it_at_once_and_reopens_the_review(
    store: Store, unit: Unit, citizen: Citizen
) -> None:
    made = await unit.opened(citizen)
    assert isinstance(await unit.verdict(made.emergency_id, "justified"), reviews.Review)
    disputed = await unit.dispute(citizen, made.emergency_id, "Tôi không ở bệnh viện hôm đó")
    assert isinstance(disputed, Emergency)
    assert (disputed.end_reason, disputed.verdict) == ("dispute", None)
    await sign_in_again(store, unit.clock, unit.doctor)
    assert await read(store, unit.clock, unit.doctor, citizen.patient_id) == "no-access"
    assert code_of(await unit.dispute(citizen, made.emergency_id)) == "emergency-access-disputed"
    case = await unit.case(made.emergency_id, await other_reviewer(store, unit))
    assert (case.dispute_text, case.review.closed_at) == ("Tôi không ở bệnh viện hôm đó", None)


async def test_s24_whoever_closed_it_before_the_dispute_does_not_close_it_again(
    store: Store, unit: Unit, citizen: Citizen
) -> None:
    made = await unit.opened(citizen)
    assert isinstance(await unit.verdict(made.emergency_id, "justified"), reviews.Review)
    assert isinstance(await unit.dispute(citizen, made.emergency_id), Emergency)
    assert code_of(await unit.verdict(made.emergency_id, "justified")) == "review-refused"
    assert code_of(await unit.case(made.emergency_id)) == "review-refused"
    other = await other_reviewer(store, unit)
    assert isinstance(await unit.verdict(made.emergency_id, "justified", other), reviews.Review)


async def test_s24_a_second_reading_passed_on_before_the_dispute_knows_of_it(
    store: Store, clock: FrozenClock, unit: Unit, citizen: Citizen, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = await make_unit(store, clock)
    monkeypatch.setattr(reviews, "is_read_again", lambda _: True)
    monkeypatch.setattr(reviews, "second_facility", lambda *_: elsewhere.facility.facility_id)
    made = await unit.opened(citizen)
    assert isinstance(await unit.verdict(made.emergency_id, "justified"), reviews.Review)
    assert isinstance(await unit.dispute(citizen, made.emergency_id), Emergency)
    second = await unit.verdict(made.emergency_id, "not-justified", elsewhere.reviewer)
    assert isinstance(second, reviews.Review)
    assert await suspended(store, unit)


async def test_s24_a_dispute_against_reads_at_once_lets_none_start_later(
    store: Store, unit: Unit, citizen: Citizen
) -> None:
    made = await unit.opened(citizen)
    ended: list[bool] = []

    async def keep_reading() -> None:
        while not ended:
            await read(store, unit.clock, unit.doctor, citizen.patient_id)
        for _ in range(5):
            assert await read(store, unit.clock, unit.doctor, citizen.patient_id) == "no-access"

    async def stop() -> None:
        assert isinstance(await unit.dispute(citizen, made.emergency_id), Emergency)
        ended.append(True)

    await asyncio.gather(*(keep_reading() for _ in range(4)), stop())


@pytest.mark.parametrize(
    ("verdict", "disputed", "suspends"),
    [
        ("justified", False, False),
        ("justified", True, False),
        ("not-justified", False, False),
        ("not-justified", True, True),
        ("misuse", False, True),
    ],
)
async def test_s24_an_upheld_dispute_or_misuse_suspends_and_nothing_else_does(
    store: Store, unit: Unit, citizen: Citizen, verdict: str, disputed: bool, suspends: bool
) -> None:
    made = await unit.opened(citizen)
    if disputed:
        await unit.dispute(citizen, made.emergency_id)
    await unit.verdict(made.emergency_id, verdict)
    assert await suspended(store, unit) is suspends


async def test_s24_two_operators_give_the_right_back(store: Store, clock: FrozenClock, unit: Unit) -> None:
    from identity.practitioners import prepare_credential
    from kernel.access import Actor

    async with store.transaction() as tx:
        await units.suspend(tx, unit.doctor.practitioner_id, clock.now())
    one, two = [Actor(kind="operator", actor_id=UUID(int=number)) for number in (1, 2)]
    prepared = await prepare_credential(store.keys, clock.now())
    body = RestoredEmergency(practitioner_id=unit.doctor.practitioner_id)
    async with store.transaction() as tx:
        change_id = await changes.propose(tx, one, "emergency-restoration", body, "Đã xác minh", clock.now())
    assert isinstance(change_id, UUID)
    for who, told in ((one, "second-account-needed"), (two, None)):
        async with store.transaction() as tx:
            done = await changes.confirm(tx, store.keys, who, change_id, prepared, clock.now())
        assert code_of(done) == told
    assert not await suspended(store, unit)


async def test_s24_a_reviewer_is_outside_the_unit_and_never_a_signer(
    store: Store, clock: FrozenClock, unit: Unit, citizen: Citizen
) -> None:
    """The doctor, a co-signer and anybody of the unit, each as a privacy officer of the facility too."""
    from identity import practitioners

    made = await unit.opened(citizen)
    await unit.sign(made.emergency_id, "extend", unit.nurse)
    inside = await make_doctor(store, clock, unit.facility, role="privacy-officer")
    await place_in(store, inside, unit.facility, unit.unit_id)
    for one in (unit.doctor, unit.nurse):
        async with store.transaction() as tx:
            role_id = await practitioners.add_role(
                tx, one.practitioner_id, unit.facility.facility_id, "privacy-officer", clock.now()
            )
        assert isinstance(role_id, UUID)
        one.practitioner_role_id = role_id
    for one in (unit.doctor, unit.nurse, inside):
        assert code_of(await unit.verdict(made.emergency_id, "justified", one)) == "review-refused"
        assert code_of(await unit.case(made.emergency_id, one)) == "review-refused"
    elsewhere = await make_unit(store, clock)
    refused = await unit.verdict(made.emergency_id, "justified", elsewhere.reviewer)
    assert code_of(refused) == "emergency-access-unknown"
    assert code_of(await unit.verdict(made.emergency_id, "justified")) is None
    assert code_of(await unit.verdict(made.emergency_id, "misuse")) == "emergency-access-unknown"


async def test_s24_a_reviewer_sees_how_much_was_read_and_not_what(
    store: Store, owner: Store, unit: Unit, citizen: Citizen
) -> None:
    from audit.service import record_read

    made = await unit.opened(citizen)
    access = await read(store, unit.clock, unit.doctor, citizen.patient_id)
    assert isinstance(access, Access)
    unit.clock.advance(minutes=1)
    async with store.transaction() as tx:
        await record_read(
            tx,
            access,
            resources=[("Condition", "a"), ("Condition", "b"), ("AllergyIntolerance", "c")],
            body=b"{}",
            outcome="ok",
            request_id=TRACE,
            now=unit.clock.now(),
        )
    unit.clock.advance(minutes=1)
    case = await unit.case(made.emergency_id)
    assert case.uses.reads == 1
    assert case.uses.shown == {"Condition": 2, "AllergyIntolerance": 1}
    sql = "SELECT count(*) FROM access_log WHERE patient_id = $1 AND entry::json->>'action' = $2"
    assert await count(owner, sql, citizen.patient_id, "consent:emergency:review") == 1


@pytest.mark.parametrize(("later", "listed"), [(-SECOND, False), (timedelta(0), True)])
async def test_s24_after_72_hours_it_stands_on_the_departments_list(
    store: Store, unit: Unit, citizen: Citizen, later: timedelta, listed: bool
) -> None:
    made = await unit.opened(citizen)
    unit.clock.set(made.opened_at + timedelta(hours=72) + later)
    assert (made.emergency_id in await late(store, unit)) is listed
    async with store.transaction() as tx:
        told = await late_answers(tx, unit.clock.now())
    assert not listed or any("/v1/department/emergency-reviews" in one.what for one in told)
    await unit.verdict(made.emergency_id, "justified")
    assert made.emergency_id not in await late(store, unit)


async def test_s24_a_tenth_is_read_again_by_another_facility_that_nobody_picks(
    store: Store, clock: FrozenClock, unit: Unit, citizen: Citizen, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [policy.is_read_again(UUID(int=number)) for number in range(20_000)]
    assert 0.09 < sum(numbers) / len(numbers) < 0.11
    made = await unit.opened(citizen)
    monkeypatch.setattr(reviews, "is_read_again", lambda _: True)
    assert code_of(await unit.verdict(made.emergency_id, "justified")) is None
    async with store.transaction() as tx:
        facilities = await units.reviewing_facilities(tx, clock.now())
        other = policy.second_facility(made.emergency_id, facilities, unit.facility.facility_id)
        second = await review_queries.review_by_id(tx, other or UUID(int=0), made.emergency_id)
    assert second is not None
    assert second.kind == "second"
    assert second.facility_id != unit.facility.facility_id


async def test_s24_the_end_is_the_persons_and_holds_for_that_doctor(
    store: Store, unit: Unit, citizen: Citizen
) -> None:
    """A conscious person who says stop is obeyed."""
    made = await unit.opened(citizen)
    assert await unit.end(citizen, made.emergency_id) is None
    assert await unit.end(citizen, made.emergency_id) is None
    await sign_in_again(store, unit.clock, unit.doctor)
    assert await read(store, unit.clock, unit.doctor, citizen.patient_id) == "no-access"
    assert code_of(await unit.break_glass(citizen)) == "emergency-access-refused"
    assert isinstance(await unit.break_glass(citizen, unit.colleague), Emergency)


async def test_s23_who_can_see_me_shows_it_and_ends_it(store: Store, unit: Unit, citizen: Citizen) -> None:
    await unit.opened(citizen)
    async with store.transaction() as tx:
        shown = await standing.standing_of(tx, store.keys, citizen.patient_id, unit.clock.now())
        assert [one.kind for one in shown] == ["break-glass"]
        access = await own(tx, citizen, "manage-grants", unit.clock.now())
        await standing.end_everything(tx, access, trace_id=TRACE, now=unit.clock.now())
    await sign_in_again(store, unit.clock, unit.doctor)
    assert await read(store, unit.clock, unit.doctor, citizen.patient_id) == "no-access"


async def test_s23_under_a_safety_flag_nobody_hears_or_sees_it_before_its_time(
    store: Store, owner: Store, unit: Unit, citizen: Citizen
) -> None:
    made = await unit.opened(citizen, safety_flag="suspected-abuse")

    async def seen() -> list[UUID]:
        async with store.transaction() as tx:
            access = await own(tx, citizen, "manage-grants", unit.clock.now())
            found, _ = await personal.of_person(tx, store.keys, access, None, 10, unit.clock.now())
            assert not await standing.standing_of(tx, store.keys, citizen.patient_id, unit.clock.now())
        return [one.emergency_id for one in found]

    told = "SELECT count(*) FROM outbox WHERE patient_id = $1 AND event LIKE 'consent.glass%'"
    assert await count(owner, told, citizen.patient_id) == 0
    assert await seen() == []
    assert code_of(await unit.end(citizen, made.emergency_id)) == "emergency-access-unknown"
    unit.clock.set(made.opened_at + timedelta(hours=72))
    assert await seen() == [made.emergency_id]
    due = Due(
        bucket=0,
        kind="emergency-notice",
        ref=f"{citizen.patient_id}:{made.emergency_id}",
        due_at=unit.clock.now(),
    )
    async with store.transaction() as tx:
        await tick(tx, store.keys, due, unit.clock.now())
    said = "SELECT count(*) FROM notification WHERE patient_id = $1 AND type = 'emergency-access'"
    assert await count(owner, said, citizen.patient_id) == 1


async def test_s24_leaving_out_is_free_and_letting_in_again_is_signed(
    store: Store, unit: Unit, citizen: Citizen
) -> None:
    async def choose(*wanted: Any) -> Any:
        async with store.transaction() as tx:
            access = await own(tx, citizen, "manage-grants", unit.clock.now())
            return await personal.set_withheld(
                tx, access, wanted, None, environment="test", trace_id=TRACE, now=unit.clock.now()
            )

    await unit.opened(citizen)
    assert await choose("pregnancy", "problems") == ["problems", "pregnancy"]
    access = await read(store, unit.clock, unit.doctor, citizen.patient_id)
    assert isinstance(access, Access)
    assert access.types is not None
    assert not access.types & {"Condition", "Observation.pregnancy"}
    assert "AllergyIntolerance" in access.types
    assert await choose(*policy.CATEGORIES) == [*policy.CATEGORIES], "all of it at once too"
    refused = await choose("pregnancy")
    assert isinstance(refused, Refused)
    assert refused.problem.code == "step-up-refused"
