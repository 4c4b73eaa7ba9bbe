"""The page of everybody one acts for: what each link shows, nothing that is kept from the family, and a cost
that grows by the same for each of them (security.md S23)."""

import itertools
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from identity.births import service as births
from kernel.access import Label
from notifications.service import notify
from store.database import Store
from tests.support.booking import booked, make_clinic, make_schedule
from tests.support.clock import FrozenClock
from tests.support.consent import asked
from tests.support.family import actor_now, make_child, make_proxy, midnight
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility
from tests.support.record import write
from tests.support.statements import CountingStore
from visits.safety import service as safety

PATH = "/v1/me/household"


async def household(store: Store, clock: FrozenClock, who: Citizen) -> dict[str, dict[str, Any]]:
    async with client_of(store, clock) as client:
        answer = await client.get(PATH, headers=bearer(who.token))
    assert answer.status_code == 200, answer.text
    return {one["person_id"]: one for one in answer.json()["items"]}


def dose(ident: str, code: str, day: str) -> dict[str, Any]:
    return {
        "resourceType": "Immunization",
        "id": ident,
        "status": "completed",
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": code}], "text": code},
        "occurrenceDateTime": day,
    }


def acting(who: Citizen, person: UUID) -> dict[str, str]:
    return bearer(who.token) | {"X-Patient-Id": str(person)}


async def test_a_mother_sees_what_is_due_for_each_and_a_proxy_what_the_scopes_name(
    store: Store, clock: FrozenClock
) -> None:
    mother, father = await make_citizen(store, clock), await make_citizen(store, clock)
    newborn = await make_child(store, clock, mother, "2026-10-01")
    older = await make_citizen(store, clock, birth_date="2018-01-01")
    async with store.transaction() as tx:
        await births.link(tx, older.patient_id, mother.patient_id, None, clock.now())
    await make_proxy(store, clock, father, mother, "appointments")
    clinic = await make_clinic(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    await asked(store, clock, doctor, older)
    async with client_of(store, clock) as client:
        plan = await make_schedule(client, clock, clinic, 3, 3)
        later = await booked(client, acting(mother, newborn), plan, 1)
        sooner = await booked(client, acting(mother, newborn), plan, 0)
        await booked(client, father, plan, 1)
    found = await household(store, clock, mother)
    assert set(found) == {str(newborn), str(older.patient_id), str(father.patient_id)}
    baby, child, grown = (found[str(one)] for one in (newborn, older.patient_id, father.patient_id))
    assert baby["next_appointment_id"] == sooner["appointment_id"] != later["appointment_id"]
    assert baby["next_dose"]["due_on"] >= "2026-10-01"
    assert (baby["waiting_requests"], child["waiting_requests"]) == (0, 1)
    assert (baby["relation"], baby["band"]) == ("guardian", "child")
    assert grown["relation"] == "proxy"
    assert grown["next_appointment_at"] is not None
    assert (grown["next_dose"], grown["waiting_requests"]) == (None, None)


async def test_notices_about_each_are_counted_until_they_are_opened(store: Store, clock: FrozenClock) -> None:
    mother = await make_citizen(store, clock)
    children = [await make_child(store, clock, mother, day) for day in ("2018-01-01", "2021-01-01")]
    now = clock.now()
    async with store.transaction() as tx:
        said = [
            await notify(
                tx,
                store.keys,
                mother.patient_id,
                "dependent-news",
                f"household:{number}",
                now,
                now + timedelta(days=1),
                ref={"patient_id": str(children[0]), "what": "consent.granted"},
            )
            for number in range(3)
        ]
    found = await household(store, clock, mother)
    assert [found[str(one)]["unread"] for one in children] == [3, 0]
    async with client_of(store, clock) as client:
        path = f"/v1/me/notifications/{said[0]}/receipts"
        opened = await client.post(path, json={"kind": "opened"}, headers=bearer(mother.token))
        assert opened.status_code == 204
    assert (await household(store, clock, mother))[str(children[0])]["unread"] == 2


@pytest.mark.parametrize("relation", ["guardian", "proxy"])
async def test_s23_the_page_is_the_same_with_and_without_what_is_kept_from_the_family(
    store: Store, clock: FrozenClock, relation: str
) -> None:
    relative = await make_citizen(store, clock)
    person = await make_citizen(
        store, clock, birth_date="2016-01-01" if relation == "guardian" else "1985-03-12"
    )
    if relation == "guardian":
        async with store.transaction() as tx:
            await births.link(tx, person.patient_id, relative.patient_id, None, clock.now())
    else:
        await make_proxy(store, clock, person, relative, "read-record", "appointments")
    clinic = await make_clinic(store, clock)
    book = person.patient_id
    before = await household(store, clock, relative)
    assert str(book) in before
    async with client_of(store, clock) as client:
        for unit, private in ((clinic.sensitive_id, False), (clinic.unit_id, True)):
            plan = await make_schedule(client, clock, clinic, 2, unit_id=str(unit))
            await booked(client, person, plan, is_private=private)
        plan = await make_schedule(client, clock, clinic, 2)
        flagged = await booked(client, person, plan)
    async with store.transaction() as tx:
        ident = UUID(flagged["appointment_id"])
        await safety.flag(tx, book, "booking", ident, "suspected-abuse", clock.now())
    await write(store, book, [dose("d1", "08", "2016-01-02")], clock.now(), labels=int(Label.SDV))
    await write(store, book, [dose("d2", "08", "2016-02-02")], clock.now(), labels=int(Label.RESTRICTED))
    assert await household(store, clock, relative) == before


async def test_the_page_shows_nothing_at_fifteen_and_eighteen_that_the_link_does_not(
    store: Store, clock: FrozenClock
) -> None:
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother, "2011-12-01")
    clock.set(midnight(date(2026, 12, 1)) - timedelta(seconds=1))
    await actor_now(store, clock, mother)
    assert (await household(store, clock, mother))[str(child)]["waiting_requests"] == 0
    clock.set(midnight(date(2026, 12, 1)))
    await actor_now(store, clock, mother)
    youth = (await household(store, clock, mother))[str(child)]
    assert (youth["band"], youth["waiting_requests"]) == ("youth", None)
    clock.set(midnight(date(2029, 12, 1)))
    await actor_now(store, clock, mother)
    assert await household(store, clock, mother) == {}


async def test_each_of_them_reads_in_the_own_log_who_looked(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    mother, stranger = await make_citizen(store, clock, name="Trần Thị Mẹ"), await make_citizen(store, clock)
    children = [await make_child(store, clock, mother, day) for day in ("2018-01-01", "2021-01-01")]
    await household(store, clock, mother)
    assert await household(store, clock, stranger) == {}
    sql = (
        "SELECT actor_name FROM access_log WHERE patient_id = $1"
        " AND entry::json->>'action' = 'record:household:read'"
    )
    for child in children:
        async with owner.transaction() as tx:
            assert [row["actor_name"] for row in await tx.fetch(sql, child)] == ["Trần Thị Mẹ"]


async def test_a_device_on_probation_sees_names_and_nothing_of_any_book(
    store: Store, clock: FrozenClock
) -> None:
    mother = await make_citizen(store, clock, probation=True)
    child = await make_child(store, clock, mother, "2021-01-01")
    found = (await household(store, clock, mother))[str(child)]
    shown = {name for name, value in found.items() if value not in (None, 0, False)}
    assert shown == {"person_id", "name", "relation", "band"}


async def test_acting_for_many_costs_the_same_for_each_of_them(store: Store, clock: FrozenClock) -> None:
    mother, counting = await make_citizen(store, clock), CountingStore(store)
    costs = []
    for _ in range(4):
        await household(counting, clock, mother)
        costs.append(len(counting.taken()))
        await make_child(store, clock, mother, "2021-01-01")
    steps = {after - before for before, after in itertools.pairwise(costs)}
    assert len(steps) == 1, costs
    assert steps.pop() <= 16, costs


async def test_a_household_of_twenty_three_is_cut_at_twenty(store: Store, clock: FrozenClock) -> None:
    mother = await make_citizen(store, clock)
    for _ in range(23):
        await make_child(store, clock, mother, "2021-01-01")
    assert len(await household(store, clock, mother)) == 20
