"""The log as FHIR AuditEvents: valid R4, in the shapes of IHE BALP, and no more than the page tells."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from fhir.resources.R4B.bundle import Bundle

from kernel.access import RECORD_TYPES
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.episode import episode
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility
from tests.support.record import write

URL = "/v1/me/access-log/audit-events"
PROFILES = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/"
DECISION, READ = f"{PROFILES}IHE.BasicAudit.AuthZconsent", f"{PROFILES}IHE.BasicAudit.PatientRead"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


async def page(client: httpx.AsyncClient, citizen: Citizen, url: str = URL, **query: Any) -> dict[str, Any]:
    answered = await client.get(url, params=query or None, headers=bearer(citizen.token))
    assert answered.status_code == 200, answered.text
    assert answered.headers["content-type"] == "application/fhir+json"
    made: dict[str, Any] = answered.json()
    Bundle.model_validate(made)
    for one in events(made):
        AuditEvent.model_validate(one)
    return made


def events(made: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in made.get("entry", [])]


def agents(event: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["type"]["coding"][0]["code"]: one for one in event["agent"]}


def entities(event: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["type"]["code"]: one for one in event["entity"]}


async def test_a_read_under_a_consent_is_a_decision_and_a_read(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient
) -> None:
    citizen, facility = (
        await make_citizen(store, clock),
        await make_facility(store, clock, name="BV Bạch Mai"),
    )
    doctor = await make_doctor(store, clock, facility, name="Lê Thị Đọc")
    await write(store, citizen.patient_id, episode("MOT", "2026-11-01", "MOT"), clock.now())
    grant = await granted(store, clock, doctor, citizen, types=RECORD_TYPES)
    path = f"/v1/doctor/patients/{citizen.patient_id}/summary"
    answered = await client.get(path, headers=bearer(doctor.token))
    made = events(await page(client, citizen, actor="practitioner", kind="read"))
    (decision,) = [one for one in made if one.get("meta") == {"profile": [DECISION]}]
    (read,) = [one for one in made if one.get("meta") == {"profile": [READ]}]

    assert decision["type"]["code"] == "110113"
    assert decision["subtype"][0]["code"] == "AuthZ-Consent"
    assert (decision["action"], decision["outcome"]) == ("E", "0")
    assert set(agents(decision)) == {"110150", "IRCP", "PROV", "authserver"}
    assert set(entities(decision)) == {"1", "Consent"}
    assert entities(decision)["Consent"]["what"] == {"reference": f"Consent/{grant.grant_id}"}
    assert agents(decision)["PROV"]["who"]["display"] == "BV Bạch Mai"

    assert (read["type"]["code"], read["subtype"][0]["code"], read["action"]) == ("rest", "read", "R")
    assert set(agents(read)) == {"110152", "110153", "IRCP"}
    user = agents(read)["IRCP"]
    assert (user["requestor"], user["name"], user["role"]) == (True, "Lê Thị Đọc", [{"text": "doctor"}])
    assert user["purposeOfUse"][0]["coding"][0]["code"] == "TREAT"
    assert set(entities(read)) == {"1", "2", "XrequestId"}
    assert entities(read)["1"]["what"] == {"reference": f"Patient/{citizen.patient_id}"}
    request_id = answered.headers["x-request-id"]
    assert entities(read)["XrequestId"]["what"]["identifier"]["value"] == request_id
    assert {one["type"] for one in entities(read)["2"]["detail"]} >= {"Condition"}


async def test_a_refusal_is_a_failed_decision_with_its_reason(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient
) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    path = f"/v1/doctor/patients/{citizen.patient_id}/summary"
    assert (await client.get(path, headers=bearer(doctor.token))).status_code == 403
    (refused,) = events(await page(client, citizen, kind="refused"))
    assert (refused["outcome"], refused["outcomeDesc"]) == ("8", "no-access")
    assert refused["type"]["code"] == "110113"
    assert "meta" not in refused  # no consent was there, so the profile of a consent's decision is not kept


async def test_pages_pass_every_row_once_and_ids_stay(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient
) -> None:
    citizen = await make_citizen(store, clock)
    for _ in range(7):
        await client.get("/v1/me/summary", headers=bearer(citizen.token))
    seen, url = [], f"{URL}?actor=citizen&limit=3&until=2030-01-01"
    while url:
        made = await page(client, citizen, url)
        seen += [one["id"] for one in events(made)]
        assert made["link"][0] == {"relation": "self", "url": url}
        url = next((one["url"] for one in made["link"] if one["relation"] == "next"), "")
    assert len(set(seen)) == len(seen) == 7
    again = events(await page(client, citizen, limit=100))
    assert set(seen) <= {one["id"] for one in again}
    # Each page that was read is a row of its own.
    assert len(again) == 7 + 3


async def test_nobody_s_rows_are_an_empty_bundle(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient
) -> None:
    citizen = await make_citizen(store, clock)
    assert events(await page(client, citizen)) == []
