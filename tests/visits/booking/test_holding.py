"""A place held, confirmed, given back, waited for: exactly once, whoever asks at the same moment."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from store.database import Store, open_store
from store.postgres import Server
from tests.support.booking import (
    ME,
    REASON,
    SCHEDULES,
    Clinic,
    act,
    booked,
    both_ends_agree,
    held,
    hold,
    make_clinic,
    make_schedule,
    run,
    state_of,
    told,
)
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen, renew_session
from tests.support.registering import people
from visits.booking.policy import AHEAD_MAX, CLOSE_JOB, HOLD_JOB, HOLD_LIFE, SLOT_JOB


@pytest.fixture
async def clinic(store: Store, clock: FrozenClock) -> Clinic:
    return await make_clinic(store, clock)


@pytest.fixture
async def second(server: Server, database: str, store: Store) -> AsyncIterator[Store]:
    """Another process of the program on the same database."""
    opened = await open_store(
        server.dsn("hb_api", database), role="hb_api", keys=store.keys, blobs=store.blobs
    )
    yield opened
    await opened.close()


async def test_a_place_is_held_then_confirmed_and_given_back(
    store: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    person = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 2)
        base = f"/v1/me/facilities/{plan['facility_id']}/schedules"
        listed = await client.get(base, headers=bearer(person.token))
        assert [one["schedule_id"] for one in listed.json()["items"]] == [plan["schedule_id"]]
        made = await held(client, person, plan)
        assert made["state"] == "held"
        assert made["unit_name"] == "Khoa Nội tổng hợp"
        seen = await client.get(f"{base}/{plan['schedule_id']}", headers=bearer(person.token))
        assert [(one["free"], one["waiting"]) for one in seen.json()["slots"]] == [(1, 0)]
        done = [await act(client, person, made["appointment_id"], "confirm") for _ in range(2)]
        assert [(one.status_code, one.json()["state"]) for one in done] == [(200, "booked")] * 2
        gone = await act(client, person, made["appointment_id"], "cancel")
        assert (gone.status_code, gone.json()["state"]) == (200, "cancelled")
        again = await act(client, person, made["appointment_id"], "cancel")
        assert (again.status_code, again.json()["state"]) == (200, "cancelled"), "as with a second yes"
        late = await act(client, person, made["appointment_id"], "confirm")
        assert (late.status_code, late.json()["code"]) == (409, "booking-state")
    assert await both_ends_agree(store, plan)
    assert await told(store, clock, person.patient_id) == [], "who acts knows it"


async def test_sixty_at_once_over_two_stores_for_twenty_places_are_booked_exactly_twenty_times(
    store: Store, second: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    crowd = await people(store, clock, 60)
    async with client_of(store, clock) as one, client_of(second, clock) as other:
        plan = await make_schedule(one, clock, clinic, 20)

        async def book(n: int) -> str:
            client = (one, other)[n % 2]
            made = await hold(client, crowd[n], plan, may_wait=n % 3 > 0)
            if made.status_code != 201:
                return str(made.json()["code"])
            if made.json()["state"] == "waiting":
                return "waiting"
            done = await act(client, crowd[n], made.json()["appointment_id"], "confirm")
            return str(done.json()["state"])

        answers = Counter(await asyncio.gather(*(book(n) for n in range(len(crowd)))))
    assert answers["booked"] == 20
    assert set(answers) == {"booked", "waiting", "slot-full"}
    assert await both_ends_agree(store, plan)


async def test_one_person_at_once_gets_one_place_of_a_slot(
    store: Store, second: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    person = await make_citizen(store, clock)
    async with client_of(store, clock) as one, client_of(second, clock) as other:
        plan = await make_schedule(one, clock, clinic, 9)
        made = await asyncio.gather(*(hold((one, other)[n % 2], person, plan) for n in range(8)))
        assert Counter(answer.status_code for answer in made) == {201: 1, 409: 7}
        assert {answer.json()["code"] for answer in made if answer.status_code == 409} == {
            "appointment-exists"
        }


async def test_a_hold_ends_by_its_timer_and_the_first_who_waits_gets_the_place(
    store: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    first, person, late = await people(store, clock, 3)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 1)
        mine = await held(client, first, plan)
        waits = [await held(client, who, plan) for who in (person, late)]
        assert [one["state"] for one in waits] == ["waiting"] * 2
        ref = f"{plan['slots'][0]['slot_id']}:{mine['appointment_id']}"
        assert await run(store, clock, plan, HOLD_JOB, ref) is None, "too early: nothing happens"
        assert (await state_of(client, first, mine["appointment_id"]))[0] == "held"
        clock.advance(seconds=HOLD_LIFE.total_seconds())
        await run(store, clock, plan, HOLD_JOB, ref)
        assert (await state_of(client, first, mine["appointment_id"]))[0] == "lapsed"
        assert await state_of(client, person, waits[0]["appointment_id"]) == ("booked", None)
        assert await state_of(client, late, waits[1]["appointment_id"]) == ("waiting", 0)
        refused = await act(client, first, mine["appointment_id"], "confirm")
        assert (refused.status_code, refused.json()["code"]) == (409, "appointment-hold-over")
    assert await told(store, clock, person.patient_id) == ["booked"]
    assert await told(store, clock, first.patient_id) == []
    assert await both_ends_agree(store, plan)


async def test_the_worker_knows_every_hold_by_a_timer_of_its_own(
    store: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    crowd = await people(store, clock, 3)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 3)
        idents = {(await held(client, who, plan))["appointment_id"] for who in crowd}
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT ref, due_at FROM due_queue WHERE kind = $1", HOLD_JOB)
    ours = {row["ref"].rpartition(":")[2]: row["due_at"] for row in rows}
    assert {ident: ours[ident] for ident in idents} == dict.fromkeys(idents, clock.now() + HOLD_LIFE)


async def test_with_the_worker_stopped_a_hold_that_is_over_is_neither_confirmed_nor_in_the_way(
    store: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    first, person = await people(store, clock, 2)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 1)
        mine = await held(client, first, plan)
        clock.advance(seconds=HOLD_LIFE.total_seconds())
        made = await held(client, person, plan, may_wait=False)
        assert made["state"] == "held"
        refused = await act(client, first, mine["appointment_id"], "confirm")
        assert (refused.status_code, refused.json()["code"]) == (409, "appointment-hold-over")
        other = await make_schedule(client, clock, clinic, 1)
        again = await held(client, first, other)
        clock.advance(seconds=HOLD_LIFE.total_seconds())
        first.token = await renew_session(store, clock, first)
        over = await act(client, first, again["appointment_id"], "confirm")
        assert (over.status_code, over.json()["code"]) == (409, "appointment-hold-over")
        assert (await state_of(client, first, again["appointment_id"]))[0] == "lapsed", "the refusal commits"
    assert await both_ends_agree(store, plan)
    assert await both_ends_agree(store, other)


async def test_confirming_and_losing_a_hold_at_the_same_moment_ends_one_way(
    store: Store, second: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    crowd = await people(store, clock, 6)
    async with client_of(store, clock) as one, client_of(second, clock) as other:
        plan = await make_schedule(one, clock, clinic, 3)
        mine = [await held(one, who, plan) for who in crowd[:3]]
        for who in crowd[3:]:
            await held(one, who, plan)
        clock.advance(seconds=HOLD_LIFE.total_seconds())
        slot_id = plan["slots"][0]["slot_id"]
        await asyncio.gather(
            *(act((one, other)[n % 2], crowd[n], mine[n]["appointment_id"], "confirm") for n in range(3)),
            *(run(second, clock, plan, HOLD_JOB, f"{slot_id}:{row['appointment_id']}") for row in mine),
        )
        seen = await one.get(f"{SCHEDULES}/{plan['schedule_id']}", headers=clinic.plans)
        assert [(slot["free"], slot["waiting"]) for slot in seen.json()["slots"]] == [(0, 0)]
    assert await both_ends_agree(store, plan)


async def test_what_is_given_back_goes_to_the_first_in_line_and_who_waits_in_vain_is_told(
    store: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    crowd = await people(store, clock, 4)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 1)
        mine = await booked(client, crowd[0], plan)
        waits = [await held(client, who, plan) for who in crowd[1:]]
        assert [one["waiting_before"] for one in waits] == [0, 1, 2]
        await act(client, crowd[2], waits[1]["appointment_id"], "cancel")
        await act(client, crowd[0], mine["appointment_id"], "cancel")
        assert (await state_of(client, crowd[1], waits[0]["appointment_id"]))[0] == "booked"
        assert await state_of(client, crowd[3], waits[2]["appointment_id"]) == ("waiting", 0)
        clock.set(clock.now() + timedelta(days=3))
        await run(store, clock, plan, SLOT_JOB, plan["slots"][0]["slot_id"])
    assert await told(store, clock, crowd[3].patient_id) == ["lapsed"]
    assert await both_ends_agree(store, plan)


async def test_the_same_request_sent_again_is_the_same_hold(
    store: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    person = await make_citizen(store, clock)
    headers = bearer(person.token) | {"Idempotency-Key": "01985e2c-7a00-7abc-8def-0123456789ab"}
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 5)
        made = [await held(client, headers, plan) for _ in range(3)]
    assert len({one["appointment_id"] for one in made}) == 1


async def test_nobody_has_more_ahead_than_is_allowed_and_hoards_no_places(
    store: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    person = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, *[3] * (AHEAD_MAX + 1))
        mine = [await held(client, person, plan, n) for n in range(AHEAD_MAX)]
        refused = await hold(client, person, plan, AHEAD_MAX)
        assert (refused.status_code, refused.json()["code"]) == (409, "appointment-limit")
        await act(client, person, mine[0]["appointment_id"], "cancel")
        assert (await hold(client, person, plan, AHEAD_MAX)).status_code == 201


async def test_a_slot_that_has_begun_a_closed_one_and_one_of_another_schedule_take_nobody(
    store: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    person, other = await people(store, clock, 2)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 3, 3)
        apart = await make_schedule(client, clock, clinic, 3)
        for ident in (apart["slots"][0]["slot_id"], str(UUID(int=7))):
            refused = await hold(client, person, plan, slot_id=ident)
            assert (refused.status_code, refused.json()["code"]) == (404, "slot-unknown")
        mine = await booked(client, person, plan)
        path = f"{SCHEDULES}/{plan['schedule_id']}/slots/{plan['slots'][0]['slot_id']}/close"
        why = {"reason": REASON}
        assert (await client.post(path, json=why, headers=clinic.plans)).status_code == 200
        assert (await state_of(client, person, mine["appointment_id"]))[0] == "called-off"
        assert (await hold(client, other, plan)).json()["code"] == "slot-over"
        closed = await client.post(f"{SCHEDULES}/{plan['schedule_id']}/close", json=why, headers=clinic.plans)
        assert closed.json()["state"] == "closed"
        assert (await hold(client, other, plan, 1)).json()["code"] == "schedule-closed"
        waits = await booked(client, other, apart)
        await client.post(f"{SCHEDULES}/{apart['schedule_id']}/close", json=why, headers=clinic.plans)
        while await run(store, clock, apart, CLOSE_JOB, apart["schedule_id"]) is not None:
            pass
        assert (await state_of(client, other, waits["appointment_id"]))[0] == "called-off"
    assert await told(store, clock, person.patient_id) == ["called-off"]
    assert await told(store, clock, other.patient_id) == ["called-off"]


async def test_a_schedule_is_of_its_own_facility_and_of_people_who_work_there(
    store: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    elsewhere = await make_clinic(store, clock)
    async with client_of(store, clock) as client:
        for more in (
            {"unit_id": str(elsewhere.unit_id)},
            {"practitioner_id": str(elsewhere.clerk.practitioner_id)},
        ):
            body = {"reason": REASON, "name": "Khám theo hẹn"} | more
            refused = await client.post(SCHEDULES, json=body, headers=clinic.plans)
            assert (refused.status_code, refused.json()["code"]) == (422, "schedule-invalid")
        own = await make_schedule(client, clock, clinic, 1, practitioner_id=str(clinic.clerk.practitioner_id))
        assert own["practitioner_name"]
        theirs = await client.get(f"{SCHEDULES}/{own['schedule_id']}", headers=elsewhere.plans)
        assert (theirs.status_code, theirs.json()["code"]) == (404, "schedule-unknown")
        unknown = await client.get(
            f"{ME}/{UUID(int=7)}", headers=bearer((await make_citizen(store, clock)).token)
        )
        assert (unknown.status_code, unknown.json()["code"]) == (404, "appointment-unknown")


async def test_two_devices_that_confirm_at_once_both_read_that_it_is_booked(
    store: Store, second: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    person = await make_citizen(store, clock)
    async with client_of(store, clock) as one, client_of(second, clock) as other:
        plan = await make_schedule(one, clock, clinic, 1)
        mine = await held(one, person, plan)
        done = await asyncio.gather(
            *(act((one, other)[n % 2], person, mine["appointment_id"], "confirm") for n in range(8))
        )
    assert {(answer.status_code, answer.json()["state"]) for answer in done} == {(200, "booked")}


async def test_what_has_begun_is_not_given_back_any_more(
    store: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    person = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 1)
        mine = await booked(client, person, plan)
        clock.advance(days=3)
        person.token = await renew_session(store, clock, person)
        late = await act(client, person, mine["appointment_id"], "cancel")
        assert (late.status_code, late.json()["code"]) == (409, "slot-over")
        assert (await state_of(client, person, mine["appointment_id"]))[0] == "booked"


async def test_a_place_that_an_erasure_freed_goes_to_whoever_waits_with_the_next_request(
    store: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    erased, waits, comes = await people(store, clock, 3)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 1)
        await booked(client, erased, plan)
        mine = await held(client, waits, plan)
        assert mine["state"] == "waiting"
        async with store.transaction() as tx:
            for table in ("slot_booking", "appointment"):
                await tx.execute(f"DELETE FROM {table} WHERE patient_id = $1", erased.patient_id)
        behind = await held(client, comes, plan)
        assert (behind["state"], behind["waiting_before"]) == ("waiting", 0)
        assert await state_of(client, waits, mine["appointment_id"]) == ("booked", None)
    assert await told(store, clock, waits.patient_id) == ["booked"]


async def test_s26_schedules_and_slots_change_with_a_reason_and_a_row(
    store: Store, owner: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 1, 1)
        base = f"{SCHEDULES}/{plan['schedule_id']}"
        one, other = [f"{base}/slots/{slot['slot_id']}" for slot in plan["slots"]]
        for path, body in (
            (SCHEDULES, {"name": "Khám theo hẹn"}),
            (f"{one}/capacity", {"capacity": 2}),
            (f"{one}/close", {"reason": "x"}),
            (f"{base}/close", {}),
        ):
            assert (await client.post(path, json=body, headers=clinic.plans)).status_code == 400, path
        for path, body in (
            (f"{one}/capacity", {"capacity": 2, "reason": REASON}),
            (f"{other}/close", {"reason": REASON}),
            (f"{base}/close", {"reason": REASON}),
        ):
            assert (await client.post(path, json=body, headers=clinic.plans)).status_code == 200, path
    async with owner.transaction() as tx:
        sql = "SELECT entry FROM admin_event WHERE entry LIKE $1 ORDER BY seq"
        rows = await tx.fetch(sql, f"%{clinic.planner.practitioner_id}%")
    found = [json.loads(row["entry"]) for row in rows]
    assert [one["what"] for one in found if one["what"].startswith(("facility:sch", "facility:slot"))] == [
        "facility:schedule:make",
        "facility:slot:resize",
        "facility:slot:close",
        "facility:schedule:close",
    ]
