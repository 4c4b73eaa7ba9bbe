"""The book as Health Connect takes it: split by the reference client, judged by the platform's own rules as
they are published (mobile-contract/health-connect.md), which are written down here once more.
"""

import json
import subprocess
from typing import Any

from kernel.access import Label
from store.database import Store
from tests.ehr.exports.test_routes import own_export
from tests.support import reference
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.people import Citizen, make_citizen
from tests.support.record import bundle, write

SCRIPT = """
import { text } from "node:stream/consumers";
import { handOver } from "./health-connect.js";
const { bundle, allowed } = JSON.parse(await text(process.stdin));
console.log(JSON.stringify(handOver(bundle, new Set(allowed))));
"""
TYPES = {
    *("AllergyIntolerance", "Condition", "Encounter", "Immunization", "Location", "Medication"),
    *("MedicationRequest", "MedicationStatement", "Observation", "Organization", "Patient"),
    *("Practitioner", "PractitionerRole", "Procedure"),
}
HIV = {
    "resourceType": "Condition",
    "id": "hiv",
    "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "B20"}], "text": "Bệnh do HIV"},
    "onsetDateTime": "2026-11-02",
}
INSIDE = {
    "resourceType": "MedicationRequest",
    "id": "inside",
    "status": "active",
    "intent": "order",
    "contained": [{"resourceType": "Medication", "id": "m", "code": {"text": "Thuốc mẫu"}}],
    "medicationReference": {"reference": "#m"},
    "authoredOn": "2026-11-02",
}


def handed_over(made: dict[str, Any], *allowed: str) -> dict[str, Any]:
    done = subprocess.run(
        ["node", "--input-type=module", "-e", SCRIPT],
        cwd=reference.compiled(),
        input=json.dumps({"bundle": made, "allowed": allowed}).encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def exported(store: Store, clock: FrozenClock, person: Citizen) -> dict[str, Any]:
    async with client_of(store, clock) as client:
        answer = await own_export(client, person, "bundle", clock)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def referred(value: Any) -> set[str]:
    if isinstance(value, list):
        return {name for one in value for name in referred(one)}
    if not isinstance(value, dict):
        return set()
    own = {value["reference"]} if isinstance(value.get("reference"), str) else set()
    return own | {name for inner in value.values() for name in referred(inner)}


def is_stored(resource: dict[str, Any]) -> bool:
    """An observation of no category of the platform's is not."""
    if resource["resourceType"] != "Observation":
        return True
    said = {coding.get("code") for one in resource.get("category", []) for coding in one.get("coding", [])}
    codes = {coding.get("code") for coding in resource["code"].get("coding", [])}
    return bool(said & {"laboratory", "vital-signs", "social-history"} or codes & {"72166-2", "82810-3"})


async def test_a_book_is_split_into_what_the_platform_takes(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    sent = [*bundle("synthea-sof-felipa-ddecf886f34f"), INSIDE]
    await write(store, person.patient_id, sent, clock.now())
    await write(store, person.patient_id, [HIV], clock.now(), labels=int(Label.HIV), unit="hiv")
    made = await exported(store, clock, person)
    found = handed_over(made)
    taken, left = found["resources"], found["leftOut"]
    assert len(taken) + len(left) == len(made["entry"]) > 100
    names = [f"{one['resourceType']}/{one['id']}" for one in taken]
    assert len(names) == len(set(names))
    assert {one["resourceType"] for one in taken} <= TYPES
    assert [one["resourceType"] for one in taken].count("Patient") == 1
    assert all("contained" not in one and is_stored(one) for one in taken)
    assert referred(taken) <= set(names)
    assert {one["reason"] for one in left} >= {"type-not-taken", "sensitive"}
    assert {one["resourceType"] for one in left if one["reason"] == "type-not-taken"}.isdisjoint(TYPES)
    medicine = next(
        one for one in taken if one.get("medicationCodeableConcept", {}).get("text") == "Thuốc mẫu"
    )
    assert "medicationReference" not in medicine


async def test_what_is_sensitive_leaves_by_a_choice_of_its_own_alone(
    store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    await write(store, person.patient_id, [HIV], clock.now(), labels=int(Label.HIV | Label.RESTRICTED))
    made = await exported(store, clock, person)
    (entry,) = [one for one in made["entry"] if one["resource"]["resourceType"] == "Condition"]
    assert {one["code"] for one in entry["resource"]["meta"]["security"]} == {"HIV", "R"}
    for allowed in ((), ("HIV",)):
        found = handed_over(made, *allowed)
        assert [one["resourceType"] for one in found["resources"]] == ["Patient"]
        assert [one["reason"] for one in found["leftOut"]] == ["sensitive"]
    assert len(handed_over(made, "HIV", "R")["resources"]) == 2


async def test_words_about_what_stays_behind_stay_behind_too(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    await write(store, person.patient_id, [HIV], clock.now(), labels=int(Label.HIV), unit="hiv")
    made = await exported(store, clock, person)
    (told,) = [one for one in made["entry"] if one["resource"]["resourceType"] == "Condition"]
    to_it = {"reference": told["fullUrl"], "display": "Bệnh do HIV"}
    who = {"reference": "Practitioner/away", "display": "BS. Nam"}
    named = {"identifier": {"value": "hiv"}, "display": "Bệnh do HIV"}
    made["entry"] += [
        {"fullUrl": f"urn:uuid:{one['id']}", "resource": one}
        for one in (
            *(
                {
                    "resourceType": "MedicationRequest",
                    "id": f"m{at}",
                    "requester": who,
                    "reasonReference": [reason],
                    "text": {"status": "generated", "div": "<div>Bệnh do HIV</div>"},
                }
                for at, reason in enumerate(
                    (to_it, to_it | {"reference": f"Condition/{told['resource']['id']}"}, named)
                )
            ),
            {
                "resourceType": "Encounter",
                "id": "e",
                "diagnosis": [{"condition": to_it, "rank": 1}],
                "hospitalization": {"origin": {"reference": "#m1", "display": "Bệnh do HIV"}},
                "partOf": {"reference": "MedicationRequest/m1", "display": "Thuốc"},
            },
        )
    ]
    found = handed_over(made)
    assert {one["id"] for one in found["resources"]} >= {"m0", "m1", "m2", "e"}
    assert "HIV" not in json.dumps(found["resources"], ensure_ascii=False)
    by_id = {one["id"]: one for one in found["resources"]}
    assert by_id["m0"]["requester"] == {"display": "BS. Nam"}
    assert by_id["e"]["partOf"]["reference"] == "MedicationRequest/m1"


async def test_a_mark_of_sensitivity_that_nobody_knows_stays_behind(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    await write(store, person.patient_id, [HIV], clock.now(), unit="other")
    made = await exported(store, clock, person)
    (told,) = [one for one in made["entry"] if one["resource"]["resourceType"] == "Condition"]
    meta = told["resource"]["meta"]
    assert len(handed_over(made)["resources"]) == 2
    meta["security"] = [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "SUD"}]
    assert [one["reason"] for one in handed_over(made)["leftOut"]] == ["sensitive"]
    assert len(handed_over(made, "SUD")["resources"]) == 2
    meta["security"] = [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "N"}]
    assert len(handed_over(made)["resources"]) == 2
