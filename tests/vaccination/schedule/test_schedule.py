"""The schedule as answered: from the record through the Access, for the person, the family and a doctor."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.family import make_child
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility
from tests.support.record import our_id, write

BORN = "2026-05-15"
PATH = "/v1/me/vaccination/schedule"
CVX = "http://hl7.org/fhir/sid/cvx"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


def shot(name: str, cvx: str, day: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Immunization",
        "id": name,
        "status": "completed",
        "vaccineCode": {"coding": [{"system": CVX, "code": cvx}], "text": name},
        "occurrenceDateTime": day,
        **more,
    }


def booked(name: str, vaccine: str, day: str) -> dict[str, Any]:
    return {
        "resourceType": "Appointment",
        "id": name,
        "status": "booked",
        "description": f"Hẹn tiêm chủng: {vaccine}",
        "requestedPeriod": [{"start": day, "end": day}],
    }


async def baby(store: Store, clock: FrozenClock, *rows: dict[str, Any]) -> Citizen:
    child = await make_citizen(store, clock, birth_date=BORN)
    await write(store, child.patient_id, list(rows), clock.now())
    return child


async def seen(client: httpx.AsyncClient, reader: Citizen, person: UUID | None = None) -> dict[str, Any]:
    headers = bearer(reader.token) | ({"X-Patient-Id": str(person)} if person else {})
    response = await client.get(PATH, headers=headers)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def rows(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["row"]: row for one in answer["items"] for row in one["rows"]}


async def test_doses_of_the_record_are_counted_by_antigen(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    # 146: DTaP, IPV, Hib, hepatitis B.
    child = await baby(
        store,
        clock,
        shot("birth", "08", BORN),
        shot("six", "146", "2026-07-15"),
        shot("b", "19", "2026-05-20"),
    )
    answer = await seen(client, child)
    found = rows(answer)
    assert (answer["version"], answer["birth_date"]) == ("tt13-2026", BORN)
    assert found["hepb-birth"]["given_on"] == BORN
    assert found["bcg-1"]["given_on"] == "2026-05-20"
    for row in ("hepb-1", "diphtheria-1", "tetanus-1", "pertussis-1", "polio-opv-1", "hib-1"):
        assert (found[row]["state"], found[row]["given_on"]) == ("given", "2026-07-15"), row
    assert (found["diphtheria-2"]["state"], found["diphtheria-2"]["due_on"]) == ("overdue", "2026-08-15")
    assert (found["hib-2"]["state"], found["hib-2"]["confirmed"]) == ("due", False)
    assert answer["next_visit"]["on"] == answer["as_of"]
    assert {"diphtheria", "tetanus", "pertussis", "hepb"} <= set(answer["next_visit"]["antigens"])
    assert [one["antigen"] for one in answer["unscheduled"]] == ["hpv"]


async def test_what_cannot_be_placed_is_named_so_that_nobody_takes_the_plan_for_whole(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    child = await baby(
        store,
        clock,
        shot("Vắc xin lạ", "99999", "2026-06-01"),
        shot("tomorrow", "08", "2026-12-31"),
        shot("birth", "08", BORN),
    )
    answer = await seen(client, child)
    assert sorted(answer["unplaced"]) == sorted([our_id("a", "Vắc xin lạ"), our_id("a", "tomorrow")])


async def test_a_dose_of_a_month_alone_counts_from_its_last_day(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    child = await baby(store, clock, shot("six", "146", "2026-10"))
    found = rows(await seen(client, child))
    assert (found["tetanus-1"]["given_on"], found["tetanus-1"]["is_exact"]) == ("2026-10-31", False)
    assert found["tetanus-2"]["due_on"] == "2026-11-30"


async def test_a_dose_of_an_instant_counts_on_its_day_in_vietnam(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    """Half past six in the evening in London is the next day here, as book and certificate say."""
    child = await baby(store, clock, shot("six", "146", "2026-07-14T18:30:00+00:00"))
    found = rows(await seen(client, child))
    assert (found["tetanus-1"]["state"], found["tetanus-1"]["given_on"]) == ("given", "2026-07-15")


async def test_appointments_and_refusals_of_the_record_move_what_is_due(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    child = await baby(
        store,
        clock,
        booked("later", "BCG", "2026-12-24"),
        shot("not", "08", "2026-11-15", status="not-done"),
        shot("never", "03", "2026-06-01", status="not-done")
        | {"statusReason": {"coding": [{"code": "MEDPREC"}]}},
    )
    found = rows(await seen(client, child))
    assert (found["bcg-1"]["state"], found["bcg-1"]["booked_on"]) == ("not_yet", "2026-12-24")
    assert (found["hepb-1"]["state"], found["hepb-1"]["due_on"]) == ("deferred", "2026-12-15")
    assert found["measles-1"]["state"] == "contraindicated"


async def test_a_guardian_reads_a_childs_and_a_youths_schedule(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    mother = await make_citizen(store, clock)
    for born in ("2024-03-12", "2010-03-12"):
        child = await make_child(store, clock, mother, born)
        await write(store, child, [shot("birth", "08", born)], clock.now())
        found = rows(await seen(client, mother, child))
        assert found["hepb-birth"]["given_on"] == born


async def test_a_doctor_needs_a_grant_that_reaches_vaccinations(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    child = await make_citizen(store, clock, birth_date="2008-12-31")
    await write(store, child.patient_id, [shot("birth", "08", "2008-12-31")], clock.now())
    facility = await make_facility(store, clock)
    doctor, other = [await make_doctor(store, clock, facility) for _ in range(2)]
    path = f"/v1/doctor/patients/{child.patient_id}/vaccination/schedule"
    refused = await client.get(path, headers=bearer(doctor.token))
    assert (refused.status_code, refused.json()["code"]) == (403, "no-access")
    await granted(store, clock, doctor, child)
    read = await client.get(path, headers=bearer(doctor.token))
    assert rows(read.json())["hepb-birth"]["state"] == "given"
    assert read.json()["notice"] is not None
    await granted(store, clock, other, child, types=frozenset({"AllergyIntolerance"}))
    without = await client.get(path, headers=bearer(other.token))
    assert (without.status_code, without.json()["code"]) == (403, "schedule-not-granted")
    async with store.transaction() as tx:
        logged = await tx.fetch(
            "SELECT entry::json->>'outcome' AS outcome FROM access_log WHERE patient_id = $1"
            " AND entry::json->>'action' = 'record:vaccination-schedule:read' ORDER BY seq",
            child.patient_id,
        )
    assert [row["outcome"] for row in logged] == ["refused", "ok"]


async def test_without_a_whole_birth_date_nothing_is_computed(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock, birth_date="1985")
    answer = await client.get(PATH, headers=bearer(person.token))
    assert (answer.status_code, answer.json()["code"]) == (409, "schedule-birth-date-unclear")
