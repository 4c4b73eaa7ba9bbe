"""S15: numbers, names and phones rest sealed or hashed, also where a sender wrote them into its documents."""

import json
from typing import Any

import pytest

from store.database import Store
from tests.ehr.intake.records import OUTPATIENT, allergy, bundle, rows, send
from tests.support.bundles import rewrite_package, sample_package
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, make_citizen, make_facility

PHONE, MOTHER, CARD = "0900000777", "Nguyễn Thị Mẹ Thử", "GD4010000000777"


def telling(sent: bytes) -> bytes:
    """The Bundle with all that a sender can say of who the person and her mother are."""
    made = json.loads(sent)
    patient: dict[str, Any] = made["entry"][0]["resource"]
    patient["telecom"] = [{"system": "phone", "value": PHONE}]
    patient["contact"] = [{"name": {"text": MOTHER}}]
    return json.dumps(made).encode()


async def test_s15_no_table_tells_who_a_record_belongs_to(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    citizen, facility = await make_citizen(store, clock), await make_facility(store, clock)
    who = {"reference": "Patient/p1"}
    mother = {"resourceType": "RelatedPerson", "id": "m", "patient": who, "name": [{"text": MOTHER}]}
    cover: dict[str, Any] = {"resourceType": "Coverage", "id": "c", "status": "active", "beneficiary": who}
    cover |= {"subscriberId": CARD, "payor": [{"display": "BHXH"}]}
    (report,) = await send(store, clock, facility, telling(bundle(citizen, mother, cover, allergy())))
    assert report.status == "imported"
    kept = {row[0] for row in await rows(store, citizen.patient_id)}
    assert {"Patient", "RelatedPerson", "Coverage", "AllergyIntolerance"} <= kept
    await assert_nowhere(owner, [citizen.number, citizen.name, citizen.birth_date, PHONE, MOTHER, CARD])


async def assert_nowhere(owner: Store, seeded: list[str]) -> None:
    async with owner.transaction() as tx:
        tables = await tx.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in tables:
            found = await tx.fetchval(
                f"SELECT count(*) FROM {table} r, unnest($1::text[]) AS seeded(word)"
                " WHERE r::text LIKE '%' || seeded.word || '%'",
                seeded,
            )
            assert found == 0, table


def named_resources(citizen: Citizen, own: dict[str, Any]) -> list[dict[str, Any]]:
    """Resources that repeat whose they are beside references, in narratives and in visit numbers."""
    div = f"<div xmlns='http://www.w3.org/1999/xhtml'>{citizen.name} {citizen.number}</div>"
    named: dict[str, Any] = {"text": {"status": "generated", "div": div}}
    visit = {"system": "urn:his:visit", "value": f"V-{citizen.number}-7"}
    device = {"resourceType": "Device", "id": "d", **named, "patient": own}
    return [
        allergy()
        | {"asserter": {"identifier": own["identifier"], "display": citizen.name, "type": "Patient"}}
        | {"patient": own, "recorder": own, "note": [{"text": "ngứa", "authorReference": own}]}
        | named,
        {"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"}}
        | {"subject": own, "identifier": [visit]}
        | named,
        {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "Cân nặng"}}
        | {"subject": own, "valueString": "1.50 kg", "contained": [device]}
        | named,
    ]


@pytest.mark.parametrize(
    "spelling", ["Patient/p1", "http://his.example/fhir/Patient/p1", "Patient/p1/_history/2"]
)
@pytest.mark.parametrize("escaped", [False, True])
async def test_s15_references_narratives_and_visit_numbers_tell_neither(
    store: Store, owner: Store, clock: FrozenClock, spelling: str, escaped: bool
) -> None:
    citizen, facility = await make_citizen(store, clock), await make_facility(store, clock)
    number = {"system": "http://fhir.ehealth.gov.vn/core/sid/national_id", "value": citizen.number}
    own = {"reference": spelling, "type": "Patient", "display": citizen.name, "identifier": number}
    sent = bundle(citizen, *named_resources(citizen, own))
    if escaped:
        sent = sent.replace(b"Patient/p1", b"Patient\\/p1")
    (report,) = await send(store, clock, facility, sent)
    assert report.status == "imported", report
    docs = {row[0]: json.loads(row[7]) for row in await rows(store, citizen.patient_id)}
    shown = {"reference": spelling, "type": "Patient"}
    assert docs["AllergyIntolerance"]["patient"] == docs["Encounter"]["subject"] == shown
    assert docs["AllergyIntolerance"]["note"] == [{"text": "ngứa", "authorReference": shown}]
    assert docs["AllergyIntolerance"]["asserter"] == {"type": "Patient"}
    assert docs["Encounter"]["identifier"][0]["value"] == "V-[national-id]-7"
    assert all("text" not in doc for doc in docs.values())
    await assert_nowhere(owner, [citizen.number, citizen.name])


async def test_s15_a_treatment_package_s_visit_number_names_nobody(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    citizen, facility = await make_citizen(store, clock), await make_facility(store, clock, code="01028")
    package = rewrite_package(sample_package(OUTPATIENT), citizen)
    (report,) = await send(store, clock, facility, package)
    (again,) = await send(store, clock, facility, package)
    assert (report.status, again.status) == ("imported", "imported")
    encounters = [
        json.loads(row[7]) for row in await rows(store, citizen.patient_id) if row[0] == "Encounter"
    ]
    assert [one["identifier"][0]["value"] for one in encounters] == ["LK.[national-id]"]
    await assert_nowhere(owner, [citizen.number, citizen.name])
