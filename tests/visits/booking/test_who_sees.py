"""Relatives: what they book and hear of, and what is kept from them on every path (security.md S23)."""

from uuid import UUID

import pytest

from store.database import Store
from tests.support.booking import (
    ME,
    Clinic,
    act,
    booked,
    held,
    hold,
    make_clinic,
    make_schedule,
    make_unit,
    told,
)
from tests.support.clock import FrozenClock
from tests.support.family import make_child, make_proxy
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen
from tests.support.registering import people
from visits.booking.policy import AHEAD_MAX
from visits.safety import service as safety

READS = ("", "/{id}", "/{id}/calendar.ics")
ACTS = ("confirm", "cancel")


@pytest.fixture
async def clinic(store: Store, clock: FrozenClock) -> Clinic:
    return await make_clinic(store, clock)


@pytest.fixture
async def proxy(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


async def acting_for(store: Store, clock: FrozenClock, person: Citizen, proxy: Citizen) -> dict[str, str]:
    await make_proxy(store, clock, person, proxy, "appointments")
    return bearer(proxy.token) | {"X-Patient-Id": str(person.patient_id)}


async def test_a_guardian_books_for_a_child_and_hears_of_it(
    store: Store, clock: FrozenClock, clinic: Clinic
) -> None:
    mother, first = await people(store, clock, 2)
    child = await make_child(store, clock, mother)
    headers = bearer(mother.token) | {"X-Patient-Id": str(child)}
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 1)
        theirs = await booked(client, first, plan)
        made = await held(client, headers, plan)
        assert (made["state"], made["by_relative"], made["is_private"]) == ("waiting", True, False)
        assert (await client.get(ME, headers=bearer(mother.token))).json()["items"] == []
        await act(client, first, theirs["appointment_id"], "cancel")
        shown = await client.get(f"{ME}/{made['appointment_id']}", headers=headers)
        assert shown.json()["state"] == "booked"
    assert await told(store, clock, child) == ["book", "booked"]
    assert await told(store, clock, mother.patient_id, child) == ["booked"], "who booked hears of the place"


@pytest.mark.parametrize(("birth_date", "status"), [("2010-01-01", 201), ("2008-01-01", 403)])
async def test_a_guardian_books_for_a_youth_what_is_not_kept_and_nothing_at_eighteen(
    store: Store, clock: FrozenClock, clinic: Clinic, birth_date: str, status: int
) -> None:
    mother = await make_citizen(store, clock)
    youth = await make_child(store, clock, mother, birth_date)
    headers = bearer(mother.token) | {"X-Patient-Id": str(youth)}
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 2)
        kept = await make_schedule(client, clock, clinic, 2, unit_id=str(clinic.sensitive_id))
        assert (await hold(client, headers, plan)).status_code == status
        assert (await hold(client, headers, kept)).status_code == (404 if status == 201 else 403)


@pytest.mark.parametrize("why", ["private", "sensitive-department", "flagged-later"])
async def test_s23_what_is_kept_from_the_family_is_on_no_path_of_theirs(
    store: Store, clock: FrozenClock, clinic: Clinic, proxy: Citizen, why: str
) -> None:
    person = await make_citizen(store, clock)
    acting = await acting_for(store, clock, person, proxy)
    async with client_of(store, clock) as client:
        open_plan = await make_schedule(client, clock, clinic, 2, 2)
        unit = clinic.sensitive_id if why == "sensitive-department" else clinic.unit_id
        plan = await make_schedule(client, clock, clinic, 2, unit_id=str(unit))
        seen = await booked(client, person, open_plan)
        kept = await booked(client, person, plan, is_private=why == "private")
        ident = kept["appointment_id"]
        if why == "flagged-later":
            async with store.transaction() as tx:
                await safety.flag(
                    tx, person.patient_id, "booking", UUID(ident), "suspected-abuse", clock.now()
                )
        own = await client.get(f"{ME}/{ident}", headers=bearer(person.token))
        assert own.json()["is_private"] is True
        listed = await client.get(ME, headers=acting)
        assert [one["appointment_id"] for one in listed.json()["items"]] == [seen["appointment_id"]]
        one_of_two = await client.get(ME, params={"limit": 1}, headers=acting)
        assert one_of_two.json()["next"] is None
        for path in READS[1:]:
            answer = await client.get(ME + path.format(id=ident), headers=acting)
            assert (answer.status_code, answer.json()["code"]) == (404, "appointment-unknown")
        for what in ACTS:
            answer = await act(client, acting, ident, what)
            assert (answer.status_code, answer.json()["code"]) == (404, "appointment-unknown")
        base = f"/v1/me/facilities/{plan['facility_id']}/schedules"
        shown = {one["schedule_id"] for one in (await client.get(base, headers=acting)).json()["items"]}
        assert (plan["schedule_id"] in shown) == (why != "sensitive-department")
        # Asking for the same slot betrays nothing: it is as if nobody had booked it for the person.
        same = await hold(client, acting, plan)
        assert same.status_code == (404 if why == "sensitive-department" else 201)
        await act(client, person, ident, "cancel")
    assert "cancel" not in await told(store, clock, proxy.patient_id, person.patient_id)


async def test_s23_a_name_that_says_it_makes_a_schedule_sensitive_without_any_department(
    store: Store, clock: FrozenClock, clinic: Clinic, proxy: Citizen
) -> None:
    person = await make_citizen(store, clock)
    acting = await acting_for(store, clock, person, proxy)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 2, unit_id=None, name="Khám H.I.V ngoại trú")
        base = f"/v1/me/facilities/{plan['facility_id']}/schedules"
        for headers, count in ((acting, 0), (bearer(person.token), 1)):
            assert len((await client.get(base, headers=headers)).json()["items"]) == count
        assert (await client.get(f"{base}/{plan['schedule_id']}", headers=acting)).status_code == 404
        assert (await hold(client, acting, plan)).json()["code"] == "schedule-unknown"
        mine = await booked(client, person, plan)
        assert mine["is_private"] is True
        file = await client.get(f"{ME}/{mine['appointment_id']}/calendar.ics", headers=bearer(person.token))
        assert "H.I.V" not in file.text
        assert clinic.facility.discreet_name in file.text.replace("\r\n ", "")


@pytest.mark.parametrize("how", ["name", "units", "specialties"])
async def test_s23_a_facility_that_is_sensitive_as_a_whole_keeps_every_appointment(
    store: Store, owner: Store, clock: FrozenClock, clinic: Clinic, proxy: Citizen, how: str
) -> None:
    person = await make_citizen(store, clock)
    acting = await acting_for(store, clock, person, proxy)
    async with client_of(store, clock) as client:
        other = await make_schedule(client, clock, await make_clinic(store, clock), 2)
        plan = await make_schedule(client, clock, clinic, 2, 2, 2, unit_id=None)
        seen = await booked(client, person, other)
        kept = await booked(client, person, plan)
        asked = await booked(client, acting, plan, 1)
        listed = await client.get(ME, headers=acting)
        assert len(listed.json()["items"]) == 3
        await make_sensitive(owner, plan["facility_id"], how)
        listed = await client.get(ME, params={"limit": 1}, headers=acting)
        assert [one["appointment_id"] for one in listed.json()["items"]] == [seen["appointment_id"]]
        assert listed.json()["next"] is None
        for ident in (kept["appointment_id"], asked["appointment_id"]):
            own = await client.get(f"{ME}/{ident}", headers=bearer(person.token))
            assert own.json()["is_private"] is True
            for path in READS[1:]:
                answer = await client.get(ME + path.format(id=ident), headers=acting)
                assert (answer.status_code, answer.json()["code"]) == (404, "appointment-unknown")
            for what in ACTS:
                assert (await act(client, acting, ident, what)).status_code == 404
        base = f"/v1/me/facilities/{plan['facility_id']}/schedules"
        for headers, count in ((acting, 0), (bearer(person.token), 1)):
            assert len((await client.get(base, headers=headers)).json()["items"]) == count
        assert (await hold(client, acting, plan, 2)).json()["code"] == "schedule-unknown"
        file = await client.get(f"{ME}/{kept['appointment_id']}/calendar.ics", headers=bearer(person.token))
        assert clinic.facility.discreet_name in file.text.replace("\r\n ", "")
        await act(client, person, asked["appointment_id"], "cancel")
        await act(client, person, kept["appointment_id"], "cancel")
    assert "cancel" not in await told(store, clock, proxy.patient_id, person.patient_id)


async def make_sensitive(owner: Store, facility_id: str, how: str) -> None:
    """As a whole: by what the register says of it now."""
    changes = {
        "name": "UPDATE facility SET name = 'Bệnh viện Tâm thần' WHERE facility_id = $1",
        "units": "UPDATE facility_unit SET is_sensitive = true WHERE facility_id = $1",
        "specialties": "INSERT INTO facility_specialty (specialty, facility_id, is_declared)"
        " VALUES ('psychiatry', $1, true)",
    }
    async with owner.transaction() as tx:
        await tx.execute(changes[how], UUID(facility_id))


async def test_s23_what_is_moved_after_it_was_flagged_is_told_to_the_person_alone(
    store: Store, clock: FrozenClock, clinic: Clinic, proxy: Citizen
) -> None:
    person, first = await people(store, clock, 2)
    acting = await acting_for(store, clock, person, proxy)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 1)
        theirs = await booked(client, first, plan)
        waits = await held(client, acting, plan)
        async with store.transaction() as tx:
            ident = UUID(waits["appointment_id"])
            await safety.flag(tx, person.patient_id, "booking", ident, "suspected-abuse", clock.now())
        await act(client, first, theirs["appointment_id"], "cancel")
    assert await told(store, clock, person.patient_id) == ["book", "booked"]
    assert await told(store, clock, proxy.patient_id, person.patient_id) == []


async def test_only_the_person_makes_an_appointment_private(
    store: Store, clock: FrozenClock, clinic: Clinic, proxy: Citizen
) -> None:
    person = await make_citizen(store, clock)
    acting = await acting_for(store, clock, person, proxy)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 1)
        refused = await hold(client, acting, plan, is_private=True)
        assert (refused.status_code, refused.json()["code"]) == (422, "appointment-private-own-only")


async def test_a_proxy_without_the_scope_neither_books_nor_sees(
    store: Store, clock: FrozenClock, clinic: Clinic, proxy: Citizen
) -> None:
    person = await make_citizen(store, clock)
    await make_proxy(store, clock, person, proxy, "read-record", "add-to-record", "consent")
    acting = bearer(proxy.token) | {"X-Patient-Id": str(person.patient_id)}
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 1)
        for answer in (await hold(client, acting, plan), await client.get(ME, headers=acting)):
            assert (answer.status_code, answer.json()["code"]) == (403, "not-in-your-care")


async def test_s23_what_is_kept_from_a_relative_does_not_count_against_the_relative(
    store: Store, clock: FrozenClock, clinic: Clinic, proxy: Citizen
) -> None:
    person = await make_citizen(store, clock)
    acting = await acting_for(store, clock, person, proxy)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, *[2] * (AHEAD_MAX + 1))
        made = [await held(client, acting, plan, number) for number in range(AHEAD_MAX)]
        assert (await hold(client, acting, plan, AHEAD_MAX)).json()["code"] == "appointment-limit"
        async with store.transaction() as tx:
            ident = UUID(made[0]["appointment_id"])
            await safety.flag(tx, person.patient_id, "booking", ident, "suspected-abuse", clock.now())
        assert (await hold(client, acting, plan, AHEAD_MAX)).status_code == 201


async def test_s23_a_word_of_the_list_alone_keeps_a_department_from_pages_and_counts(
    store: Store, clock: FrozenClock, clinic: Clinic, proxy: Citizen
) -> None:
    """As after a release whose list of words grew: the row's mark says nothing."""
    person = await make_citizen(store, clock)
    acting = await acting_for(store, clock, person, proxy)
    async with client_of(store, clock) as client:
        seen_plan = await make_schedule(client, clock, clinic, 2, 2, unit_id=None)
        plan = await make_schedule(client, clock, clinic, *[2] * AHEAD_MAX)
        other = await make_schedule(client, clock, clinic, 2)
        # With one more department that is none, or the facility would be sensitive as a whole.
        await make_unit(store, clock, clinic.facility.facility_id, "Khoa Ngoại")
        seen = await held(client, acting, seen_plan)
        for number in range(AHEAD_MAX - 1):
            await held(client, acting, plan, number)
        assert (await hold(client, acting, seen_plan, 1)).json()["code"] == "appointment-limit"
        async with store.transaction() as tx:
            sql = "UPDATE facility_unit SET name = 'Phòng khám HIV' WHERE unit_id = $1"
            await tx.execute(sql, clinic.unit_id)
        page = await client.get(ME, params={"limit": 1}, headers=acting)
        assert [one["appointment_id"] for one in page.json()["items"]] == [seen["appointment_id"]]
        assert page.json()["next"] is None
        base = f"/v1/me/facilities/{plan['facility_id']}/schedules"
        shown = await client.get(base, params={"limit": 1}, headers=acting)
        assert [one["schedule_id"] for one in shown.json()["items"]] == [seen_plan["schedule_id"]]
        assert other["schedule_id"] not in shown.text
        assert (await hold(client, acting, seen_plan, 1)).status_code == 201, (
            "what is kept counts for nothing"
        )
