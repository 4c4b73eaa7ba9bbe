"""The patient summary as a document: the structure of IPS 2.0.0, and bugs that others had."""

import gzip
import json
from typing import Any

import pytest
from lxml import etree

from ehr.exports import ips
from ehr.reads import summary
from kernel.access import Access, Label, RecordType
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.hostile import HOSTILE_TEXTS
from tests.support.people import Citizen, make_citizen
from tests.support.record import bundle, granted, hospital, own, write
from tests.support.shared import shared

SAMPLES = (
    *("ips-bundle-ips-all-sections", "ips-bundle-no-info-required-sections", "ips-ips-examples-01"),
    *("clinosim-us-pt-0612cf63eb84", "synthea-sof-felipa-ddecf886f34f"),
)
REQUIRED = {"48765-2", "11450-4", "10160-0"}
XHTML = "{http://www.w3.org/1999/xhtml}"


async def document(store: Store, access: Access, clock: FrozenClock) -> dict[str, Any]:
    async with store.transaction() as tx:
        built = await summary.read(tx, store.keys, access, clock.now())
        gathered = await ips.gather(tx, store.keys, access, built, clock.now())
    made: dict[str, Any] = json.loads(ips.build(gathered, clock.now()).body)
    return made


def composition(made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = made["entry"][0]["resource"]
    return found


def code_of(section: dict[str, Any]) -> str:
    code: str = section["code"]["coding"][0]["code"]
    return code


def section(made: dict[str, Any], code: str) -> dict[str, Any] | None:
    return next((one for one in composition(made)["section"] if code_of(one) == code), None)


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own_one = [value["reference"]] if isinstance(value.get("reference"), str) else []
        return own_one + [found for inner in value.values() for found in references(inner)]
    return [found for inner in value for found in references(inner)] if isinstance(value, list) else []


def lines(one: dict[str, Any]) -> list[str]:
    """The narrative as lines; it is well-formed XHTML of nothing but a list."""
    root = etree.fromstring(one["text"]["div"].encode())
    assert root.tag == f"{XHTML}div"
    assert {element.tag for element in root.iter()} <= {f"{XHTML}{name}" for name in ("div", "ul", "li")}
    return ["".join(item.itertext()) for item in root.iter(f"{XHTML}li")]


def check_structure(made: dict[str, Any]) -> None:
    """What FHIR R4 and the Composition of IPS demand of a document."""
    assert (made["resourceType"], made["type"]) == ("Bundle", "document")
    assert made["identifier"]["system"]
    assert made["identifier"]["value"]
    assert made["timestamp"]
    urls = [entry["fullUrl"] for entry in made["entry"]]
    assert len(set(urls)) == len(urls)
    for entry in made["entry"]:
        assert entry["fullUrl"] == f"urn:uuid:{entry['resource']['id']}"
        for reference in references(entry["resource"]):
            assert reference in urls or reference.startswith("#"), reference
    head = composition(made)
    assert head["resourceType"] == "Composition"
    for name in ("status", "type", "subject", "date", "author", "title", "section"):
        assert head[name], name
    assert head["type"]["coding"][0]["code"] == "60591-5"
    codes = [code_of(one) for one in head["section"]]
    assert set(codes) >= REQUIRED
    assert len(set(codes)) == len(codes)
    for one in head["section"]:
        assert one["title"]
        assert bool(one.get("entry")) != ("emptyReason" in one)
        # HAPI PR 4438, PR 8190: every entry is in the narrative, and nothing else is.
        assert len(lines(one)) == max(1, len(one.get("entry", [])))
    patient = made["entry"][1]["resource"]
    assert patient["resourceType"] == "Patient"
    assert patient["name"]
    assert "birthDate" in patient or "_birthDate" in patient


@pytest.mark.parametrize("sample", SAMPLES)
async def test_a_sample_record_becomes_a_document(store: Store, clock: FrozenClock, sample: str) -> None:
    person = await make_citizen(store, clock)
    await write(store, person.patient_id, bundle(sample), clock.now())
    check_structure(await document(store, own(person.patient_id, "export-record"), clock))


async def test_every_section_code_is_one_of_the_guide(store: Store, clock: FrozenClock) -> None:
    path = shared("data/fhir/definitions") / "StructureDefinition-Composition-uv-ips.json.gz"
    elements = json.loads(gzip.decompress(path.read_bytes()))["snapshot"]["element"]
    known = {
        coding["code"]
        for element in elements
        for coding in element.get("patternCodeableConcept", {}).get("coding", [])
    }
    required = {
        e["id"].split(":")[1]
        for e in elements
        if e["path"] == "Composition.section" and e.get("sliceName") and e["min"]
    }
    assert len(required) == len(REQUIRED)
    assert set(ips._NAMES) <= known


async def test_an_empty_book_never_says_none(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    made = await document(store, own(person.patient_id), clock)
    check_structure(made)
    assert {code_of(one) for one in composition(made)["section"]} == REQUIRED
    for one in composition(made)["section"]:
        assert one["emptyReason"]["coding"][0]["code"] == "unavailable"
        assert lines(one) == ["Chưa có thông tin."]


def allergy(name: str, text: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "AllergyIntolerance",
        "id": name,
        "patient": {"reference": "Patient/x"},
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"text": text},
        "text": {"status": "generated", "div": f"<div xmlns='http://www.w3.org/1999/xhtml'>{text}</div>"},
        **more,
    }


async def test_an_explicit_none_is_an_entry(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    none = {
        "coding": [{"system": "http://snomed.info/sct", "code": "716186003", "display": "No known allergy"}]
    }
    await write(store, person.patient_id, [allergy("none", "x", code=none)], clock.now())
    made = await document(store, own(person.patient_id), clock)
    found = section(made, "48765-2")
    assert found is not None
    assert len(found["entry"]) == 1
    assert "emptyReason" not in found


async def test_a_section_emptied_by_consent_reads_like_one_without_information(
    store: Store, clock: FrozenClock
) -> None:
    person, empty = await make_citizen(store, clock), await make_citizen(store, clock)
    await write(store, person.patient_id, [allergy("a", "Tenofovir")], clock.now(), labels=int(Label.HIV))
    with_hidden = await document(store, granted(person.patient_id), clock)
    without = await document(store, granted(empty.patient_id), clock)
    assert section(with_hidden, "48765-2") == section(without, "48765-2")
    assert "Tenofovir" not in json.dumps(with_hidden, ensure_ascii=False)
    assert "có thể chưa đầy đủ" in composition(with_hidden)["text"]["div"]
    assert composition(with_hidden)["text"] == composition(without)["text"]


async def test_an_allergy_without_severity_has_its_line(store: Store, clock: FrozenClock) -> None:
    """HAPI PR 5297: a reaction without a severity broke the narrative."""
    person = await make_citizen(store, clock)
    reaction = [{"manifestation": [{"text": "Phát ban"}], "severity": None}]
    await write(store, person.patient_id, [allergy("a", "Penicillin", reaction=reaction)], clock.now())
    found = section(await document(store, own(person.patient_id), clock), "48765-2")
    assert found is not None
    assert "Penicillin" in lines(found)[0]
    assert "Phát ban" in lines(found)[0]


async def test_s35_hostile_texts_stay_texts(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    rows = [allergy(f"a{number}", text) for number, text in enumerate(HOSTILE_TEXTS)]
    await write(store, person.patient_id, rows, clock.now())
    made = await document(store, own(person.patient_id), clock)
    check_structure(made)
    found = section(made, "48765-2")
    assert found is not None
    assert "<script" not in found["text"]["div"]
    assert "\u202e" not in found["text"]["div"]
    for entry in made["entry"]:
        assert "div" not in entry["resource"].get("text", {}) or entry is made["entry"][0]


async def test_a_doctor_gets_no_numbers_of_the_person(store: Store, clock: FrozenClock) -> None:
    person: Citizen = await make_citizen(store, clock)
    types: frozenset[RecordType] = frozenset({"AllergyIntolerance"})
    theirs = await document(store, granted(person.patient_id, types=types), clock)
    assert "identifier" not in theirs["entry"][1]["resource"]
    assert person.number not in json.dumps(theirs)
    mine = await document(store, own(person.patient_id), clock)
    assert mine["entry"][1]["resource"]["identifier"][0]["value"] == person.number


async def test_a_device_is_listed_by_its_use(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    device = {
        "resourceType": "Device",
        "id": "d",
        "status": "active",
        "type": {"text": "Máy tạo nhịp"},
        "patient": {"reference": "Patient/x"},
    }
    await write(store, person.patient_id, [device], clock.now(), source=hospital())
    made = await document(store, own(person.patient_id), clock)
    check_structure(made)
    found = section(made, "46264-8")
    assert found is not None
    (use,) = [e["resource"] for e in made["entry"] if e["fullUrl"] == found["entry"][0]["reference"]]
    assert use["resourceType"] == "DeviceUseStatement"
    assert lines(found) == ["Máy tạo nhịp · Bệnh viện A"]
