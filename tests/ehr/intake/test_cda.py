"""HL7 CDA R2 documents: sections become resources, narratives a document, versions replace each other."""

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from ehr.intake.cda import read_document
from ehr.intake.cda_fields import plain_text, read_ts
from ehr.intake.files import import_paths
from ehr.intake.models import BadUnit, Unit
from ehr.intake.safe_xml import parse_document
from store.database import Store
from tests.ehr.intake.records import rows, send
from tests.support.cda import ALLERGY, PROBLEM, RESULT, SECTIONS, code, document, section
from tests.support.clock import START, FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_facility, make_machine
from tests.support.phr831 import sample


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


def read(text: str) -> Unit | BadUnit:
    (found,) = read_document(io.BytesIO(text.encode()), "body", START)
    return found


def resources(text: str) -> dict[str, list[dict[str, Any]]]:
    unit = read(text)
    assert isinstance(unit, Unit), unit
    found: dict[str, list[dict[str, Any]]] = {}
    for item in unit.items:
        found.setdefault(item.rtype, []).append(item.doc)
    return found


def test_every_kind_of_section_becomes_its_resource(citizen: Citizen) -> None:
    found = resources(document(citizen))
    assert {rtype: len(docs) for rtype, docs in found.items()} == {
        "Patient": 1,
        "Encounter": 2,
        "Condition": 1,
        "AllergyIntolerance": 1,
        "MedicationRequest": 1,
        "Immunization": 1,
        "Observation": 3,
        "Procedure": 1,
        "DocumentReference": 1,
    }
    assert found["Condition"][0]["code"]["coding"][0]["code"] == "I10"
    assert found["Condition"][0]["onsetDateTime"] == "2024-05"
    assert found["Procedure"][0]["performedDateTime"] == "2019"
    assert found["Immunization"][0]["lotNumber"] == "LOT-7"
    medicine = found["MedicationRequest"][0]["dosageInstruction"][0]
    assert medicine["text"] == "Uống 1 viên/lần, 2 lần/ngày"
    assert medicine["timing"]["repeat"]["boundsPeriod"] == {"start": "2026-03-02", "end": "2026-04-01"}


def test_an_entry_takes_its_words_from_the_narrative_it_points_at(citizen: Citizen) -> None:
    allergy = resources(document(citizen))["AllergyIntolerance"][0]
    assert allergy["code"] == {"text": "Penicillin"}
    assert allergy["reaction"][0]["severity"] == "moderate"


def test_results_keep_zeros_ranges_and_times(citizen: Citizen) -> None:
    unit = read(document(citizen, section("30954-2", "Kết quả", "", RESULT)))
    assert isinstance(unit, Unit)
    (raw,) = [item.raw for item in unit.items if item.rtype == "Observation"]
    assert '"value":4.10' in raw
    assert '"effectiveDateTime":"2026-03-02T08:30:00+07:00"' in raw
    assert json.loads(raw)["referenceRange"][0]["high"]["value"] == 5.1


def test_systolic_and_diastolic_are_one_blood_pressure(citizen: Citizen) -> None:
    signs = [o for o in resources(document(citizen))["Observation"] if "component" in o]
    assert [part["valueQuantity"]["value"] for part in signs[0]["component"]] == [128, 84]


def test_narratives_stand_in_one_document_by_section(citizen: Citizen) -> None:
    (paper,) = resources(document(citizen))["DocumentReference"]
    text = base64.b64decode(paper["content"][0]["attachment"]["data"]).decode()
    assert "Bệnh sử\nBệnh nhân đau đầu hai ngày." in text
    assert text.startswith("Vấn đề sức khỏe\n")


def test_a_section_the_gate_stops_leaves_the_rest_of_the_document(citizen: Citizen) -> None:
    told = section("10164-2", "Bệnh sử", "Đang điều trị ARV")
    papers = resources(document(citizen, *SECTIONS, told))["DocumentReference"]
    texts = [base64.b64decode(p["content"][0]["attachment"]["data"]).decode() for p in papers]
    assert ["ARV" in text for text in texts] == [False, True]


def test_no_known_allergy_is_said_and_an_absent_problem_is_not_written(citizen: Citizen) -> None:
    none = ALLERGY.replace("<observation classCode", '<observation negationInd="true" classCode', 1)
    none = none.replace('<reference value="#al1"/>', "")
    absent = PROBLEM.replace("<observation classCode", '<observation negationInd="true" classCode')
    found = resources(
        document(citizen, section("48765-2", "Dị ứng", "", none), section("11450-4", "Bệnh", "", absent))
    )
    assert found["AllergyIntolerance"][0]["code"]["coding"][0]["code"] == "no-known-allergies"
    assert "Condition" not in found


def test_a_document_that_is_no_text_is_kept_as_it_came(citizen: Citizen) -> None:
    data = base64.b64encode(b"%PDF-1.4 SYNTHETIC").decode()
    body = f'<nonXMLBody><text mediaType="application/pdf" representation="B64">{data}</text></nonXMLBody>'
    (paper,) = resources(document(citizen, body=body))["DocumentReference"]
    assert paper["content"][0]["attachment"]["contentType"] == "application/pdf"


@pytest.mark.parametrize(
    ("old", "new", "code", "where"),
    [
        ('value="202603020830+0700"', 'value="2026030"', "bad-date", "/effectiveTime"),
        ('value="4.10"', 'value="nhiều"', "bad-number", "/value@value"),
        ('xsi:type="PQ" value="4.10"', 'xsi:type="XYZ" value="4.10"', "bad-type", "/value@type"),
        ('<birthTime value="', '<birthTime value="x', "bad-date", "/birthTime"),
        ('administrativeGenderCode code="', 'administrativeGenderCode code="Q', "bad-code", "GenderCode"),
        ('<effectiveTime value="20260302093000+0700"/>', "", "missing-field", "effectiveTime"),
        ('value="20260302093000+0700"', 'value="2099"', "future-date", "effectiveTime"),
        ('versionNumber value="1"', 'versionNumber value="-1"', "bad-number", "versionNumber@value"),
        ('assigningAuthorityName="SO_CCCD"', 'assigningAuthorityName="CMND"', "bad-identifier", "/id[1]"),
        ("<recordTarget>", "<recordTarget/><recordTarget>", "several-patients", "recordTarget"),
        ("structuredBody>", "body>", "missing-field", "component"),
    ],
)
def test_a_wrong_field_is_refused_with_its_place(
    citizen: Citizen, old: str, new: str, code: str, where: str
) -> None:
    text = document(citizen)
    assert old in text
    refused = read(text.replace(old, new))
    assert isinstance(refused, BadUnit)
    assert code in [reason.code for reason in refused.reasons]
    assert any(reason.where.endswith(where) for reason in refused.reasons)


def test_no_entity_and_no_doctype_is_read(citizen: Citizen) -> None:
    text = document(citizen)
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    bomb = text.replace(head, head + '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>')
    refused = read(bomb.replace("Trạm y tế", "&a;"))
    assert isinstance(refused, BadUnit)
    assert [reason.code for reason in refused.reasons] == ["doctype-refused"]


@pytest.mark.parametrize(
    ("value", "date"),
    [
        ("2026", "2026"),
        ("202603", "2026-03"),
        ("20260302", "2026-03-02"),
        ("202603020815", "2026-03-02T08:15:00+07:00"),
        ("20260302081530.123+0000", "2026-03-02T08:15:30+00:00"),
        ("20261301", None),
        ("2026030208", None),
        ("20260302T08", None),
        ("00010101", None),
        ("20260302081500+9999", None),
        ("", None),
    ],
)
def test_a_ts_keeps_its_precision(value: str, date: str | None) -> None:
    assert read_ts(value) == date


def test_a_deep_narrative_is_read_without_recursion() -> None:
    deep = "<text>" + "<content>" * 200 + "x" + "</content>" * 200 + "</text>"
    assert plain_text(parse_document(io.BytesIO(deep.encode()), "body")) == "x"


@pytest.mark.parametrize(
    "text",
    [
        "<paragraph>đau</paragraph>" * 400_000,
        "x" * 200_001,
        "<content ID='al1'>" * 200 + "y" * 190_000 + "</content>" * 200 + "<br/>" * 20_000,
    ],
)
def test_a_narrative_without_end_is_refused_and_not_cut_off(citizen: Citizen, text: str) -> None:
    refused = read(document(citizen, section("10164-2", "Bệnh sử", text)))
    assert isinstance(refused, BadUnit)
    assert [reason.code for reason in refused.reasons] == ["too-large"]


def test_more_elements_than_a_document_has_are_refused_before_they_become_a_tree() -> None:
    refused = read("<ClinicalDocument>" + "<a/>" * 400_001 + "</ClinicalDocument>")
    assert isinstance(refused, BadUnit)
    assert [reason.code for reason in refused.reasons] == ["too-large"]


async def test_a_later_version_replaces_and_an_earlier_one_is_refused(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    facility = await make_facility(store, clock)
    (first,) = await send(store, clock, facility, document(citizen).encode())
    assert first.status == "imported", first
    second = document(citizen, *SECTIONS[:3], version="2").encode()
    await send(store, clock, facility, second)
    after = await rows(store, citizen.patient_id)
    alive = {row[0] for row in after if not row[6]}
    assert "Immunization" not in alive
    assert "Condition" in alive
    (late,) = await send(store, clock, facility, document(citizen).encode())
    assert (late.status, [r.code for r in late.reasons]) == ("rejected", ["older-version"])
    assert await rows(store, citizen.patient_id) == after
    await send(store, clock, facility, second)
    assert await rows(store, citizen.patient_id) == after


async def test_s3_the_same_set_id_of_another_source_is_another_document(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    mine, other = await make_facility(store, clock), await make_facility(store, clock)
    await send(store, clock, mine, document(citizen).encode())
    before = await rows(store, citizen.patient_id)
    await send(store, clock, other, document(citizen, SECTIONS[8], version="9").encode())
    after = await rows(store, citizen.patient_id)
    assert [row for row in after if row[4] == str(mine.facility_id)] == before


async def test_s3_a_custodian_of_another_code_is_refused(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    await make_facility(store, clock, code="83201")
    facility = await make_facility(store, clock, code="83202")
    (refused,) = await send(store, clock, facility, document(citizen, custodian="83201").encode())
    assert [reason.code for reason in refused.reasons] == ["facility-mismatch"]
    (taken,) = await send(store, clock, facility, document(citizen, custodian="83202").encode())
    assert taken.status == "imported"


async def test_a_command_rejects_a_unit_of_an_unknown_facility_and_reads_on(
    store: Store, clock: FrozenClock, citizen: Citizen, tmp_path: Path
) -> None:
    await make_facility(store, clock, code="83203")
    (tmp_path / "1.xml").write_text(document(citizen, custodian="99X99"), "utf-8")
    (tmp_path / "2.xml").write_text(document(citizen, custodian="83203"), "utf-8")
    report = await import_paths(store, clock, [tmp_path])
    assert [unit.status for file in report.files for unit in file.units] == ["rejected", "imported"]


async def test_the_gate_leaves_no_trace_of_a_document_or_a_form(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    facility = await make_facility(store, clock)
    hiv = code("B20", "Bệnh do HIV", "2.16.840.1.113883.6.3", "value", ' xsi:type="CD"')
    problem = f'<observation classCode="OBS" moodCode="EVN">{hiv}</observation>'
    told = section("11450-4", "Bệnh", "Nhiễm HIV giai đoạn 3", problem)
    papers = document(citizen, *SECTIONS, told, section("10164-2", "Bệnh sử", "xét nghiệm H I V âm tính"))
    form = sample({"BENHSU": "uống ARV đều", "KHAMDA": "HIV", "VANDEKHAC": "mại dâm"}, citizen)
    for text in (papers, form):
        reports = await send(store, clock, facility, text.encode())
        assert {report.status for report in reports} == {"imported"}
        assert sum(report.withheld for report in reports) >= 2
    for table in ("ehr_resource", "ehr_history", "ehr_unit", "ehr_unit_signature", "ehr_signature_block"):
        async with store.transaction() as tx:
            kept = "".join(str(tuple(row)) for row in await tx.fetch(f"SELECT * FROM {table}"))
        decoded = kept + "".join(
            base64.b64decode(data).decode(errors="replace") for data in re.findall(r'"data":"([^"]+)"', kept)
        )
        assert not re.search(r"HIV|H I V|ARV|B20|mại dâm", decoded), table
    async with store.transaction() as tx:
        waiting = await tx.fetchval(
            "SELECT count(*) FROM ehr_quarantine WHERE facility_id = $1", facility.facility_id
        )
    assert waiting == 0


async def test_a_system_sends_a_document_and_a_form_and_the_person_reads_them(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    machine = await make_machine(store, clock, await make_facility(store, clock))
    header = bearer(machine.token) | {"Content-Type": "application/xml"}
    async with client_of(store, clock) as client:
        for text in (document(citizen), sample({}, citizen)):
            sent = await client.post("/v1/facility/records", content=text.encode(), headers=header)
            assert sent.status_code == 202, sent.text
            assert all(unit["accepted"] for unit in sent.json()["units"])
            assert str(citizen.patient_id) not in sent.text
        read = {
            name: (await client.get(f"/v1/me/{name}", headers=bearer(citizen.token))).text
            for name in (
                "allergies",
                "immunizations",
                "medications",
                "vital-signs",
                "documents",
                "encounters",
            )
        }
    assert "Penicillin" in read["allergies"]
    assert "SYNTHETIC TEN" in read["allergies"]
    assert "Viêm gan B" in read["immunizations"]
    assert "Uống 1 viên/lần, 2 lần/ngày" in read["medications"]
    assert "128" in read["vital-signs"]
    assert "58.50" in read["vital-signs"]
    assert "Tóm tắt đợt khám" in read["documents"]
    assert "SYNTHETIC LYDOKHAM" in read["encounters"]


@pytest.mark.parametrize("mood", ["INT", "RQO", "GOL"])
def test_what_is_planned_is_not_written_as_done(citizen: Citizen, mood: str) -> None:
    planned = [text.replace('moodCode="EVN"', f'moodCode="{mood}"') for text in SECTIONS]
    assert set(resources(document(citizen, *planned))) <= {
        "Patient",
        "Encounter",
        "MedicationRequest",
        "DocumentReference",
    }
    assert len(resources(document(citizen, *planned))["Encounter"]) == 1
