"""The day itself: who came, who stayed away and what follows from it, the facility's list, the calendar file,
the reminder, and what becomes of appointments in a merge and after their time."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from healthbook.housekeeping import CHORES
from kernel.clock import end_of_day, local_day
from store.database import Store
from tests.support.booking import (
    DESK,
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
    told,
)
from tests.support.clock import FrozenClock
from tests.support.declaring import check_in
from tests.support.family import access_of, make_proxy
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_doctor, renew_session, sign_in_again
from tests.support.registering import DESK as VACCINATION_DESK
from tests.support.registering import make_campaign, make_site, people, registered
from tests.support.registry import make_officers, merged, separated
from visits.arrivals import record_arrival
from visits.booking import service
from visits.booking.models import Ask
from visits.booking.policy import MISSES_MAX, SLOT_JOB


@pytest.fixture
async def clinic(store: Store, clock: FrozenClock) -> Clinic:
    return await make_clinic(store, clock)


async def acts(store: Store, patient_id: UUID) -> list[str]:
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT entry FROM access_log WHERE patient_id = $1 ORDER BY seq", patient_id)
    found = [json.loads(row["entry"])["action"] for row in rows]
    return [one for one in found if one.startswith("visit:appointment:")]


async def states(store: Store, patient_id: UUID) -> list[tuple[str, bool]]:
    """State of each appointment and whether it counts as missed, oldest first."""
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT state, missed_at IS NOT NULL AS missed FROM appointment WHERE patient_id = $1"
            " ORDER BY appointment_id",
            patient_id,
        )
    return [(row["state"], row["missed"]) for row in rows]


async def come(store: Store, clock: FrozenClock, clinic: Clinic, person: Citizen) -> None:
    """A clerk types the person's number."""
    async with store.transaction() as tx:
        made = await record_arrival(
            tx, store.keys, clinic.clerk.actor, person.number, request_id="r", now=clock.now()
        )
    assert isinstance(made, UUID)


def starts_of(plan: dict[str, Any], number: int = 0) -> datetime:
    return datetime.fromisoformat(plan["slots"][number]["starts_at"])


async def day_over(store: Store, clock: FrozenClock, plan: dict[str, Any]) -> None:
    """The timers of the slots as the worker runs them: at the hour of each, and when the day is over."""
    for number, slot in enumerate(plan["slots"]):
        if clock.now() < starts_of(plan, number):
            clock.set(starts_of(plan, number))
        again = await run(store, clock, plan, SLOT_JOB, slot["slot_id"])
        assert again == end_of_day(local_day(datetime.fromisoformat(slot["ends_at"])))
    clock.set(again)
    for slot in plan["slots"]:
        assert await run(store, clock, plan, SLOT_JOB, slot["slot_id"]) is None


async def test_whoever_arrived_that_day_came_and_whoever_did_not_missed_it(
    store: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    came, missed, marked = await people(store, clock, 3)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 3)
        for who in (came, missed, marked):
            mine = await booked(client, who, plan)
        clock.set(starts_of(plan))
        await sign_in_again(store, clock, clinic.clerk)
        await come(store, clock, clinic, came)
        await come(store, clock, clinic, marked)
        path = f"{DESK}/{mine['appointment_id']}/outcome"
        said = await client.post(path, json={"outcome": "absent"}, headers=clinic.looks)
        assert said.json()["state"] == "absent"
    await day_over(store, clock, plan)
    assert await states(store, came.patient_id) == [("attended", False)]
    assert await states(store, missed.patient_id) == [("absent", True)]
    assert await states(store, marked.patient_id) == [("absent", False)], "a mark counts against nobody"
    assert await both_ends_agree(store, plan)


@pytest.mark.parametrize("means", ["poster", "late", "companion"])
async def test_whoever_took_a_number_that_day_did_not_miss_it(
    store: Store, clock: FrozenClock, clinic: Clinic, means: str
) -> None:
    person = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 1)
        await booked(client, person, plan)
    await check_in(store, person.patient_id, clinic.facility, starts_of(plan), means=means)
    await day_over(store, clock, plan)
    assert await states(store, person.patient_id) == [("absent", False)], "nobody saw the person"


async def test_who_missed_often_books_elsewhere_at_the_counter_or_a_month_later(
    store: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    person = await make_citizen(store, clock)
    elsewhere = await make_clinic(store, clock)
    async with client_of(store, clock) as client:
        for _ in range(MISSES_MAX):
            plan = await make_schedule(client, clock, clinic, 2)
            person.token = await renew_session(store, clock, person)
            await booked(client, person, plan)
            await day_over(store, clock, plan)
            await sign_in_again(store, clock, clinic.planner)
        plan = await make_schedule(client, clock, clinic, 2)
        person.token = await renew_session(store, clock, person)
        refused = await hold(client, person, plan)
        assert (refused.status_code, refused.json()["code"]) == (409, "appointment-missed-often")
        await sign_in_again(store, clock, elsewhere.planner)
        assert (
            await hold(client, person, await make_schedule(client, clock, elsewhere, 2))
        ).status_code == 201
        # A doctor's letter opens the door all the same.
        access, ask = await access_of(store, person, "manage-appointments", clock.now()), ask_of(plan)
        async with store.transaction() as tx:
            made = await service.book_by_referral(tx, access, ask, UUID(int=8), "r", clock.now())
        assert isinstance(made, service.AppointmentRow)
        clock.advance(days=31)
        await sign_in_again(store, clock, clinic.planner)
        person.token = await renew_session(store, clock, person)
        later = await make_schedule(client, clock, clinic, 2)
        assert (await hold(client, person, later)).status_code == 201


async def test_the_desk_takes_a_miss_back_by_saying_that_the_person_came(
    store: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    person = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 2)
        mine = await booked(client, person, plan)
        await day_over(store, clock, plan)
        assert await states(store, person.patient_id) == [("absent", True)]
        await sign_in_again(store, clock, clinic.clerk)
        path = f"{DESK}/{mine['appointment_id']}/outcome"
        said = await client.post(path, json={"outcome": "attended"}, headers=clinic.looks)
        assert said.status_code == 200
    assert await states(store, person.patient_id) == [("attended", False)]


async def test_what_a_proxy_booked_and_nobody_came_to_locks_the_proxy_out_and_not_the_person(
    store: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    person, proxy = await people(store, clock, 2)
    await make_proxy(store, clock, person, proxy, "appointments")

    async with client_of(store, clock) as client:
        for _ in range(MISSES_MAX):
            plan = await make_schedule(client, clock, clinic, 2)
            acting = bearer(proxy.token) | {"X-Patient-Id": str(person.patient_id)}
            await booked(client, acting, plan)
            await day_over(store, clock, plan)
            await sign_in_again(store, clock, clinic.planner)
            proxy.token = await renew_session(store, clock, proxy)
        plan = await make_schedule(client, clock, clinic, 2)
        acting = bearer(proxy.token) | {"X-Patient-Id": str(person.patient_id)}
        assert (await hold(client, acting, plan)).json()["code"] == "appointment-missed-often"
        person.token = await renew_session(store, clock, person)
        assert (await hold(client, person, plan)).status_code == 201
        # And for whom the proxy never booked: the proxy's own visits are the proxy's.
        assert (await hold(client, proxy, plan)).status_code == 201


async def test_the_list_of_a_day_names_who_comes_by_department_and_each_finds_it_in_the_log(
    store: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    crowd = await people(store, clock, 4)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 3)
        apart = await make_schedule(client, clock, clinic, 3, unit_id=str(clinic.sensitive_id))
        idents = [(await booked(client, who, plan))["appointment_id"] for who in crowd[:3]]
        idents.append((await booked(client, crowd[3], apart))["appointment_id"])
        await act(client, crowd[1], idents[1], "cancel")
        day = {"day": local_day(starts_of(plan)).isoformat()}
        whole, cursor = [], None
        while True:
            asked = day | {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = (await client.get(DESK, params=asked, headers=clinic.looks)).json()
            whole += page["items"]
            cursor = page["next"]
            if cursor is None:
                break
        assert {one["appointment_id"] for one in whole} == {idents[0], idents[2], idents[3]}
        unit = day | {"unit_id": str(clinic.unit_id)}
        here = (await client.get(DESK, params=unit, headers=clinic.looks)).json()["items"]
        assert [one["person_name"] for one in here] == [crowd[0].name, crowd[2].name]
        elsewhere = await make_clinic(store, clock)
        assert (await client.get(DESK, params=day, headers=elsewhere.looks)).json()["items"] == []
        stranger = await client.post(
            f"{DESK}/{idents[0]}/outcome", json={"outcome": "called-off"}, headers=elsewhere.looks
        )
        assert (stranger.status_code, stranger.json()["code"]) == (404, "appointment-unknown")
        early = await client.post(
            f"{DESK}/{idents[0]}/outcome", json={"outcome": "attended"}, headers=clinic.looks
        )
        assert (early.status_code, early.json()["code"]) == (409, "appointment-day-not-there")
        off = await client.post(
            f"{DESK}/{idents[0]}/outcome", json={"outcome": "called-off"}, headers=clinic.looks
        )
        assert off.json()["state"] == "called-off"
        for extreme, status in (("0001-01-01", 409), ("9999-12-31", 200)):
            far = await client.get(DESK, params={"day": extreme}, headers=clinic.looks)
            assert far.status_code == status
    assert await acts(store, crowd[0].patient_id) == [
        "visit:appointment:hold",
        "visit:appointment:confirm",
        "visit:appointment:list",
        "visit:appointment:list",
        "visit:appointment:call-off",
    ]
    assert "visit:appointment:list" not in await acts(store, crowd[1].patient_id)
    assert await told(store, clock, crowd[0].patient_id) == ["called-off"]


async def test_campaigns_and_appointments_share_slots_and_neither_list_names_the_other(
    store: Store, clock: FrozenClock
) -> None:
    site = await make_site(store, clock)
    clinic = await make_clinic(store, clock)
    clinic.facility = site.facility
    patient, vaccinated = await people(store, clock, 2)
    async with client_of(store, clock) as client:
        campaign = await make_campaign(client, clock, site, 2)
        clinic.planner = await make_doctor(store, clock, site.facility, role="facility-admin")
        clinic.clerk = await make_doctor(store, clock, site.facility, role="clerk")
        plan = await make_schedule(client, clock, clinic, 2, unit_id=None)
        await registered(client, vaccinated, campaign)
        mine = await booked(client, patient, plan)
        day = {"day": local_day(starts_of(plan)).isoformat()}
        theirs = await client.get(VACCINATION_DESK, params=day, headers=site.looks)
        assert [one["person_name"] for one in theirs.json()["items"]] == [vaccinated.name]
        listed = await client.get(DESK, params=day, headers=clinic.looks)
        assert [one["appointment_id"] for one in listed.json()["items"]] == [mine["appointment_id"]]
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT entry FROM access_log WHERE patient_id = $1", patient.patient_id)
    assert not [row for row in rows if "vaccination:" in row["entry"]]


def lines_of(text: str) -> dict[str, str]:
    pairs = [line.partition(":") for line in text.replace("\r\n ", "").split("\r\n")]
    return {name: value for name, _, value in pairs}


async def test_the_calendar_file_keeps_its_uid_and_takes_itself_out(
    store: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    person = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 2)
        mine = await held(client, person, plan)
        path, headers = f"{ME}/{mine['appointment_id']}/calendar.ics", bearer(person.token)
        early = await client.get(path, headers=headers)
        assert (early.status_code, early.json()["code"]) == (409, "appointment-not-booked")
        await act(client, person, mine["appointment_id"], "confirm")
        file = await client.get(path, headers=headers)
        assert file.headers["content-type"].startswith("text/calendar")
        assert file.headers["content-disposition"] == 'attachment; filename="lich-hen.ics"'
        before = lines_of(file.text)
        assert (before["METHOD"], before["STATUS"]) == ("PUBLISH", "CONFIRMED")
        assert before["SUMMARY"] == "Lịch hẹn"
        assert before["LOCATION"] == clinic.facility.name, "a department says what for"
        await act(client, person, mine["appointment_id"], "cancel")
        after = lines_of((await client.get(path, headers=headers)).text)
    assert (after["METHOD"], after["STATUS"], after["UID"]) == ("CANCEL", "CANCELLED", before["UID"])
    assert int(after["SEQUENCE"]) > int(before["SEQUENCE"])


async def test_s23_the_calendar_file_of_a_sensitive_department_names_no_department(
    store: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    person = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        plan = await make_schedule(
            client, clock, clinic, 2, unit_id=str(clinic.sensitive_id), name="Khám hẹn"
        )
        mine = await booked(client, person, plan)
        file = await client.get(f"{ME}/{mine['appointment_id']}/calendar.ics", headers=bearer(person.token))
    text = file.text.replace("\r\n ", "")
    for word in ("Tâm thần", "Khám hẹn", clinic.facility.name):
        assert word not in text
    assert f"LOCATION:{clinic.facility.discreet_name}" in text


def ask_of(plan: dict[str, Any], number: int = 0) -> Ask:
    return Ask(
        facility_id=UUID(plan["facility_id"]),
        schedule_id=UUID(plan["schedule_id"]),
        slot_id=UUID(plan["slots"][number]["slot_id"]),
    )


async def test_a_letter_books_its_visit_once(store: Store, clock: FrozenClock, clinic: Clinic) -> None:
    person = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 2, 2)
    access = await access_of(store, person, "manage-appointments", clock.now())
    made = []
    for number in (0, 0, 1):
        async with store.transaction() as tx:
            letter = UUID(int=5)
            made.append(
                await service.book_by_referral(tx, access, ask_of(plan, number), letter, "r", clock.now())
            )
    first, again, other = made
    assert isinstance(first, service.AppointmentRow)
    assert first.state == "booked"
    assert again == first
    assert isinstance(other, service.Refused)
    assert other.problem.code == "referral-booked"
    async with store.transaction() as tx:
        await service.cancel(tx, access, first.appointment_id, "r", clock.now())
        anew = await service.book_by_referral(tx, access, ask_of(plan, 1), letter, "r", clock.now())
    assert isinstance(anew, service.AppointmentRow)


async def test_s30_facilities_forget_after_thirty_days_and_the_book_after_a_year(
    fresh_store: Store, clock: FrozenClock
) -> None:
    store = fresh_store
    clinic = await make_clinic(store, clock)
    person = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 2)
        await booked(client, person, plan, is_private=True)
    chores = {one.name: one for one in CHORES}
    ended = datetime.fromisoformat(plan["slots"][0]["ends_at"])

    async def left(name: str, at: datetime) -> tuple[int, ...]:
        chore = chores[name]
        async with store.transaction() as tx:
            await chore.work(tx, at - chore.kept, 500)
            row = await tx.fetchrow(
                "SELECT (SELECT count(*) FROM slot_booking), (SELECT count(*) FROM appointment),"
                " (SELECT count(*) FROM visit_safety), (SELECT count(*) FROM slot)"
            )
        return tuple(row)

    assert await left("facility-appointments", ended + timedelta(days=30)) == (1, 1, 1, 1)
    assert await left("facility-appointments", ended + timedelta(days=30, seconds=1)) == (0, 1, 1, 0)
    async with client_of(store, clock) as client:
        clock.set(ended + timedelta(days=31))
        person.token = await renew_session(store, clock, person)
        (shown,) = (await client.get(ME, headers=bearer(person.token))).json()["items"]
        assert shown["schedule_name"] == plan["name"]
        late = await act(client, person, shown["appointment_id"], "cancel")
        assert (late.status_code, late.json()["code"]) == (409, "slot-over"), "its slot is gone"
    assert await left("appointments", ended + timedelta(days=365)) == (0, 1, 1, 0)
    assert await left("appointments", ended + timedelta(days=365, seconds=1)) == (0, 0, 0, 0)


async def test_schedules_go_long_after_they_were_closed_and_never_while_they_are_open(
    fresh_store: Store, clock: FrozenClock
) -> None:
    store = fresh_store
    clinic = await make_clinic(store, clock)
    async with client_of(store, clock) as client:
        await make_schedule(client, clock, clinic, 1, name="Lịch còn mở")
        plan = await make_schedule(client, clock, clinic, 1)
        path = f"{SCHEDULES}/{plan['schedule_id']}/close"
        assert (await client.post(path, json={"reason": REASON}, headers=clinic.plans)).status_code == 200
    chore, closed = {one.name: one for one in CHORES}["schedules"], clock.now()

    async def left(at: datetime) -> set[str]:
        async with store.transaction() as tx:
            await chore.work(tx, at - chore.kept, 500)
            return {row["name"] for row in await tx.fetch("SELECT name FROM appointment_schedule")}

    assert len(await left(closed + timedelta(days=800))) == 2
    assert await left(closed + timedelta(days=800, seconds=1)) == {"Lịch còn mở"}


async def test_the_day_of_a_department_shows_all_of_its_schedules(
    store: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    person = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 1)
        mine = await booked(client, person, plan)
        async with store.transaction() as tx:
            await tx.execute(
                "INSERT INTO appointment_schedule (facility_id, schedule_id, name, unit_id, is_sensitive,"
                " opens_at, state, made_by, made_at)"
                " SELECT $1, ('ffffffff-ffff-4fff-8fff-' || lpad(n::text, 12, '0'))::uuid, 'Lịch mới', $2,"
                " false, $3, 'open', $1, $3 FROM generate_series(1, 250) n",
                clinic.facility.facility_id,
                clinic.unit_id,
                clock.now(),
            )
        day = {"day": local_day(starts_of(plan)).isoformat(), "unit_id": str(clinic.unit_id)}
        listed = (await client.get(DESK, params=day, headers=clinic.looks)).json()["items"]
    assert [one["appointment_id"] for one in listed] == [mine["appointment_id"]]


async def test_s10_after_a_merge_appointment_and_news_are_the_survivors(
    store: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    person, survivor, first = await people(store, clock, 3)
    officers = await make_officers(store, clock)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 1)
        theirs = await booked(client, first, plan)
        mine = await held(client, person, plan)
        merge_id = await merged(store, officers, person.patient_id, survivor.patient_id, clock.now())
        async with store.transaction() as tx:
            sql = "UPDATE person_origin SET proven_at = visible_at, visible_at = $1"
            await tx.execute(sql, clock.now())
        await act(client, first, theirs["appointment_id"], "cancel")
        day = {"day": local_day(starts_of(plan)).isoformat()}
        listed = (await client.get(DESK, params=day, headers=clinic.looks)).json()["items"]
        assert [(one["person_name"], one["state"]) for one in listed] == [(survivor.name, "booked")]
        clock.advance(minutes=1)
        async with store.transaction() as tx:
            # The survivor's card was seen at a desk since.
            sql = "UPDATE device SET proven_at = $1 WHERE patient_id = $2"
            await tx.execute(sql, clock.now(), survivor.patient_id)
        seen = await client.get(ME, headers=bearer(survivor.token))
        assert [one["appointment_id"] for one in seen.json()["items"]] == [mine["appointment_id"]]
        assert (await hold(client, survivor, plan)).json()["code"] == "appointment-exists"
        await separated(store, officers, merge_id, clock.now())
        assert (await client.get(ME, headers=bearer(survivor.token))).json()["items"] == []
    assert await both_ends_agree(store, plan)
