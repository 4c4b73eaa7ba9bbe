"""The summary: what is (not) known, what is current, what is critical."""

import json
from typing import Any
from uuid import UUID

import pytest

from ehr.reads import summary
from ehr.reads.summary import age_years
from kernel.access import Access, Label
from store.database import Store
from tests.support.clock import START, FrozenClock
from tests.support.people import make_citizen, make_facility
from tests.support.record import bundle, granted, hospital, own, write

SNOMED = "http://snomed.info/sct"


def allergy(name: str, code: str, status: str | None = "active", text: str | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {
        "resourceType": "AllergyIntolerance",
        "id": name,
        "code": {"coding": [{"system": SNOMED, "code": code}]} | ({"text": text} if text else {}),
        "reaction": [
            {"manifestation": [{"coding": [{"system": SNOMED, "code": "39579001"}]}], "severity": None}
        ],
    }
    if status:
        body["clinicalStatus"] = {"coding": [{"code": status}]}
    return body


def lab(name: str, value: float, when: str, code: str = "2823-3", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "effectiveDateTime": when,
        "valueQuantity": {"value": value, "unit": "mmol/L"},
        **more,
    }


async def read(store: Store, access: Access, clock: FrozenClock) -> dict[str, Any]:
    async with store.transaction() as tx:
        answer: dict[str, Any] = json.loads((await summary.read(tx, store.keys, access, clock.now())).body)
    return answer


def section(answer: dict[str, Any], key: str) -> dict[str, Any]:
    found: dict[str, Any] = next(s for s in answer["sections"] if s["key"] == key)
    return found


async def person_with(store: Store, clock: FrozenClock, *bodies: dict[str, Any]) -> UUID:
    patient_id = (await make_citizen(store, clock)).patient_id
    await write(store, patient_id, list(bodies), clock.now())
    return patient_id


async def test_nobody_asked_is_not_none_known(store: Store, clock: FrozenClock) -> None:
    silent = await person_with(store, clock)
    asked = await person_with(store, clock, allergy("nka", "716186003"))
    not_told = await person_with(
        store,
        clock,
        {
            "resourceType": "AllergyIntolerance",
            "id": "x",
            "code": {
                "coding": [
                    {
                        "system": "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips",
                        "code": "no-allergy-info",
                    }
                ]
            },
        },
    )
    states = [section(await read(store, own(p), clock), "allergies") for p in (silent, asked, not_told)]
    assert [s["state"] for s in states] == ["not-asked", "none-known", "not-asked"]
    assert states[0]["state_vi"] != states[1]["state_vi"]


async def test_none_known_falls_once_something_is_known_also_when_that_is_withheld(
    store: Store, clock: FrozenClock
) -> None:
    person = await person_with(store, clock, allergy("nka", "716186003"))
    access = granted(person)
    assert section(await read(store, access, clock), "allergies")["state"] == "none-known"
    await write(store, person, [allergy("secret", "91936005")], clock.now(), labels=int(Label.HIV))
    emptied = section(await read(store, access, clock), "allergies")
    nobody = section(await read(store, granted(await person_with(store, clock)), clock), "allergies")
    assert emptied == nobody
    mine = section(await read(store, own(person), clock), "allergies")
    assert [item["title"] for item in mine["items"]] == ["Dị ứng penicillin"]


async def test_no_known_food_allergy_is_an_entry_and_no_answer_for_all_allergies(
    store: Store, clock: FrozenClock
) -> None:
    person = await person_with(store, clock, allergy("food", "429625007"))
    found = section(await read(store, own(person), clock), "allergies")
    assert (found["state"], found["items"][0]["title"]) == ("listed", "Không có dị ứng thức ăn đã biết")


async def test_an_allergy_without_status_is_shown_and_a_resolved_one_is_not(
    store: Store, clock: FrozenClock
) -> None:
    person = await person_with(
        store, clock, allergy("a", "91936005", None), allergy("b", "91930004", "resolved")
    )
    items = section(await read(store, own(person), clock), "allergies")["items"]
    assert [item["title"] for item in items] == ["Dị ứng penicillin"]
    assert items[0]["reactions"] == ["Phản vệ"]


async def test_results_show_the_newest_of_each_test_critical_first(store: Store, clock: FrozenClock) -> None:
    high = {"interpretation": [{"coding": [{"code": "HH"}]}]}
    person = await person_with(
        store,
        clock,
        lab("old", 4.0, "2026-01-01"),
        lab("new", 4.50, "2026-11-01"),
        lab("critical", 6.9, "2026-10-01", "2951-2", **high),
    )
    results = section(await read(store, own(person), clock), "results")["items"]
    assert [(r["title"], r["value"], r.get("flag")) for r in results] == [
        ("Natri máu", "6.9", "critical-high"),
        ("Kali máu", "4.5", None),
    ]
    assert "bác sĩ" in results[0]["notice_vi"]
    assert "notice_vi" not in results[1]


async def test_social_and_administrative_findings_are_no_diseases(store: Store, clock: FrozenClock) -> None:
    def condition(name: str, system: str, code: str) -> dict[str, Any]:
        coding = {"system": system, "code": code}
        status = {"coding": [{"code": "active"}]}
        return {
            "resourceType": "Condition",
            "id": name,
            "code": {"coding": [coding]},
            "clinicalStatus": status,
        }

    icd = "http://hl7.org/fhir/sid/icd-10"
    person = await person_with(
        store,
        clock,
        condition("job", SNOMED, "160903007"),
        condition("check", icd, "Z00.0"),
        condition("fall", icd, "W19"),
        condition("stent", icd, "Z95"),
        condition("sugar", icd, "E11.9"),
    )
    items = section(await read(store, own(person), clock), "problems")["items"]
    assert {item["code"] for item in items} == {"Z95", "E11.9"}


async def test_sources_and_age_stand_in_the_head(store: Store, clock: FrozenClock) -> None:
    facility = await make_facility(store, clock)
    person = await make_citizen(store, clock, birth_date="1985-11-22")
    source = hospital("x", facility.facility_id)
    await write(store, person.patient_id, [allergy("a", "91936005")], clock.now(), source=source)
    answer = await read(store, granted(person.patient_id), clock)
    assert answer["sources"] == [{"name": facility.name, "as_of": "2026-11-21T02:00:00Z"}]
    # The birthday is tomorrow.
    assert answer["person"]["age_years"] == 40
    assert age_years("1985", START) is None


@pytest.mark.parametrize("name", ["ips-bundle-ips-all-sections", "ips-bundle-no-info-required-sections"])
async def test_official_ips_documents_read_into_their_sections(
    store: Store, clock: FrozenClock, name: str
) -> None:
    person = await person_with(store, clock, *bundle(name))
    answer = await read(store, own(person), clock)
    states = {s["key"]: s["state"] for s in answer["sections"]}
    if name.endswith("all-sections"):
        assert {"allergies", "problems", "medications", "results", "devices", "alerts"} <= states.keys()
    else:
        assert "listed" not in {states["allergies"], states["problems"], states["medications"]}


async def test_every_listed_item_is_in_the_access_log_and_nothing_else(
    store: Store, clock: FrozenClock
) -> None:
    person = await person_with(store, clock, *bundle("synthea-sof-felipa-ddecf886f34f"))
    async with store.transaction() as tx:
        built = await summary.read(tx, store.keys, own(person), clock.now())
    answer = json.loads(built.body)
    listed = {item["id"] for s in answer["sections"] for item in s["items"]}
    assert listed | {i["id"] for i in answer["person"]["blood_groups"]} == {ident for _, ident in built.shown}
