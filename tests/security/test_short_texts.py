"""A few letters that a facility sends never become a page of megabytes, nor one that cannot be drawn."""

from typing import Any

import pytest

from store.database import Store
from tests.ehr.intake.records import bundle
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.http import bearer, client_of
from tests.support.pages import Browser
from tests.support.people import make_citizen, make_doctor, make_facility, make_machine

LARGE = 200_000
FHIR = {"Content-Type": "application/fhir+json"}
LABORATORY = {
    "system": "http://terminology.hl7.org/CodeSystem/observation-category",
    "code": "laboratory",
}


def result(day: int) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"o{day}",
        "status": "final",
        "category": [{"coding": [LABORATORY]}],
        "subject": {"reference": "Patient/p1"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "2345-7"}], "text": "Glucose"},
        "effectiveDateTime": f"2026-11-{day:02}T10:00:00+07:00",
        "value": "@",
    }


@pytest.mark.parametrize(
    "values",
    [
        ['"valueString": "1E9000000"'],
        ['"valueQuantity": {"value": 1E-400, "unit": "mmol/L"}'],
        [
            '"valueQuantity": {"value": 5, "unit": "mmol/L"},'
            ' "referenceRange": [{"low": {"value": 1E-400}, "high": {"value": 6}}]'
        ],
        [
            '"valueQuantity": {"value": -1E308, "unit": "mmol/L"}',
            '"valueQuantity": {"value": 1E308, "unit": "mmol/L"}',
        ],
    ],
)
async def test_s33_a_number_of_ten_letters_stays_one(
    store: Store, clock: FrozenClock, values: list[str]
) -> None:
    facility = await make_facility(store, clock)
    machine, doctor = await make_machine(store, clock, facility), await make_doctor(store, clock, facility)
    person = await make_citizen(store, clock)
    await granted(store, clock, doctor, person)
    sent = bundle(person, *(result(day) for day in range(1, len(values) + 1))).decode()
    for value in values:
        sent = sent.replace('"value": "@"', value, 1)
    async with client_of(store, clock) as client:
        taken = await client.post("/v1/facility/records", content=sent, headers=bearer(machine.token) | FHIR)
        assert taken.status_code == 202, taken.text
        answered = await client.get("/v1/me/results", headers=bearer(person.token))
        assert len(answered.content) < LARGE
        items = answered.json()["items"]
        assert len(items) == len(values)
        own, theirs = Browser(client, "citizen", person.token), Browser(client, "staff", doctor.token)
        book = f"/doctor/patients/{person.patient_id}"
        pages = [await own.get(path) for path in ("/", "/me/results", "/me/timeline")]
        pages += [await own.get(f"/me/results/{one['id']}") for one in items]
        pages += [await theirs.get(book), await theirs.get(f"{book}/results")]
        pages.append(await theirs.submit(pages[-1], f"{book}/results/trend"))
    assert [page.status for page in pages] == [200] * len(pages)
    assert max(len(page.response.content) for page in pages) < LARGE
