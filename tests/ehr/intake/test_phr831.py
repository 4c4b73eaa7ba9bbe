"""The form of QĐ 831: every element of the published list arrives or is named as left out."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from ehr.intake.models import BadUnit, Unit
from ehr.intake.phr831 import read_forms
from ehr.intake.reading import read_units
from store.database import Store
from tests.ehr.intake.records import rows, send
from tests.support.clock import START, FrozenClock
from tests.support.people import make_citizen, make_facility
from tests.support.phr831 import element_list, sample

# Taken only where the field before them is empty.
SECOND_CHOICE = {"DIENTHOAI_CD", "DIACHI_THUONGTRU"}
MAPPING = Path(__file__).parents[3] / "docs" / "mapping.md"


def read(text: str) -> list[Unit | BadUnit]:
    return list(read_forms(io.BytesIO(text.encode()), "body", START))


def units(text: str) -> list[Unit]:
    found = read(text)
    assert all(isinstance(unit, Unit) for unit in found), found
    return [unit for unit in found if isinstance(unit, Unit)]


def docs(text: str) -> list[dict[str, Any]]:
    return [item.doc for unit in units(text) for item in unit.items]


def names(node: Any) -> set[str]:
    """Every leaf of the element list by its own name."""
    if isinstance(node, list):
        return {name for one in node for name in names(one)}
    if isinstance(node, dict):
        found = {name for path, one in node.items() if one not in ("text", "number") for name in names(one)}
        return found | {path for path, one in node.items() if one in ("text", "number")}
    path, _, fields = str(node).rstrip("}").partition("{")
    return set(fields.split(",")) if fields else {path}


def test_every_element_of_the_list_is_named_in_the_mapping() -> None:
    elements = element_list()
    text = MAPPING.read_text("utf-8").partition("# The form of QĐ 831")[2].partition("\n# ")[0]
    named = set(re.findall(r"`([A-Z0-9_]+)`", text))
    wanted = names([elements["HEADER"], elements["BODY/HOSOSUCKHOE"]])
    assert len(wanted) > 120
    assert wanted - named == set()


def test_what_is_not_mapped_is_exactly_what_the_mapping_says() -> None:
    text = MAPPING.read_text("utf-8").partition("# The form of QĐ 831")[2].partition("\n# ")[0]
    left_out = set(re.findall(r"`([A-Z0-9_]+)`", text.partition("## Not mapped (831)")[2]))
    message = sample()
    kept = set(re.findall(r"SYNTHETIC ([A-Z0-9_]+)", json.dumps(docs(message), ensure_ascii=False)))
    listed = names(element_list()["BODY/HOSOSUCKHOE"])
    free = {name for name in listed if f"<{name}>SYNTHETIC {name}</{name}>" in message}
    assert free - kept - left_out - SECOND_CHOICE == set()
    assert left_out & kept == set()


def test_a_form_is_one_unit_and_each_visit_one_of_its_own() -> None:
    book, visit = units(sample())
    assert (book.name, visit.name) == ("HOSOSUCKHOE[1]", "HOSOSUCKHOE[1]/HOSOKHAMCHUABENH[1]")
    assert book.snapshot
    assert visit.snapshot
    assert visit.key == "visit831:SYNTHETIC MA_LK"
    assert book.person.birth_date == "1980-03-12"
    assert ("insurance-card", "DN4797908000123") in book.person.identifiers


def test_signs_of_a_visit_are_observations_with_their_decimals() -> None:
    found = {
        coding["code"]: doc
        for doc in docs(sample())
        if doc["resourceType"] == "Observation"
        for coding in doc["code"].get("coding", [])
    }
    assert found["29463-7"]["valueQuantity"]["value"] == 58.5
    assert [part["valueQuantity"]["value"] for part in found["85354-9"]["component"]] == [125, 82]
    assert found["8310-5"]["effectiveDateTime"] == "2026-03-02"


def test_drug_use_among_the_risks_is_dropped_by_rule_and_counted() -> None:
    text = sample().replace("<TENLOAI>SYNTHETIC TENLOAI", "<TENLOAI>không nói gì", 1)
    text = text.replace("<DSYEUTO><LOAI>1", "<DSYEUTO><LOAI>3", 1)
    book = units(text)[0]
    assert book.withheld == 1
    assert "DSYEUTO-" not in json.dumps([item.doc for item in book.items])


def test_a_disease_that_is_absent_is_not_written() -> None:
    before = sum(doc["resourceType"] == "Condition" for doc in docs(sample()))
    after = docs(sample({"TRANGTHAI": "0"}))
    assert sum(doc["resourceType"] == "Condition" for doc in after) == before - 1
    assert not [doc for doc in after if doc["resourceType"] in {"Immunization", "MedicationRequest"}]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("NGAYSINH", "1980-03-12", "bad-date"),
        ("NGAYSINH", "31/02/1980", "bad-date"),
        ("NGAYSINH", "01/01/2199", "future-date"),
        ("GIOITINH", "Nam", "bad-code"),
        ("MADINHDANH", "12", "bad-identifier"),
        ("HOTEN", "", "missing-field"),
        ("LOAIDE", "9", "bad-code"),
        ("CHIEUDAI", "dài", "bad-number"),
        ("NGAYTIEM", "2024", ""),
        ("NGAYTIEM", "hôm qua", "bad-date"),
    ],
)
def test_a_wrong_field_of_the_book_is_refused_with_its_place(name: str, value: str, code: str) -> None:
    found = read(sample({name: value}))
    refused = [one for one in found if isinstance(one, BadUnit)]
    if not code:
        assert refused == []
        return
    assert [reason.code for reason in refused[0].reasons] == [code]
    assert refused[0].reasons[0].where.endswith(f".{name}")


def test_a_wrong_visit_keeps_the_book_in() -> None:
    book, visit = read(sample({"MACH": "nhanh", "NGAYKHAM": "3/2099"}))
    assert isinstance(book, Unit)
    assert isinstance(visit, BadUnit)
    assert [(r.code, r.where.rpartition(".")[2]) for r in visit.reasons] == [
        ("future-date", "NGAYKHAM"),
        ("bad-number", "MACH"),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<DATA><BODY/></DATA>", "no-form"),
        ("<DATA><BODY><HOSOSUCKHOE>", "bad-xml"),
        ('<!DOCTYPE DATA [<!ENTITY a "b">]><DATA><BODY>&a;</BODY></DATA>', "doctype-refused"),
        ('<?xml version="1.0" encoding="ISO-8859-1"?><DATA/>', "bad-encoding"),
        ("<DATA><BODY><HOSOSUCKHOE/></BODY></DATA>", "missing-field"),
    ],
)
def test_a_broken_message_is_refused_with_its_reason(text: str, code: str) -> None:
    (refused,) = read(text)
    assert isinstance(refused, BadUnit)
    assert [reason.code for reason in refused.reasons] == [code]


def test_the_root_element_decides_whatever_stands_before_it() -> None:
    text = sample().replace("<!-- SYNTHETIC -->", "<!-- " + "x" * 5000 + " -->")
    found = list(read_units(io.BytesIO(b"\xef\xbb\xbf" + text.encode()), "body", START))
    assert len(found) == 2


async def test_a_form_arrives_whole_and_again_without_a_new_version(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock, code="83101")
    text = sample({"SENDER_CODE": "83101"}, citizen)
    reports = await send(store, clock, facility, text.encode())
    assert [report.status for report in reports] == ["imported", "imported"], reports
    before = await rows(store, citizen.patient_id)
    assert {row[0] for row in before} >= {"Immunization", "AllergyIntolerance", "Condition", "Encounter"}
    assert not any(citizen.number in row[7] for row in before)
    await send(store, clock, facility, text.encode())
    assert await rows(store, citizen.patient_id) == before


async def test_s3_a_form_under_another_facilitys_code_is_refused(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    facility, _ = await make_facility(store, clock), await make_facility(store, clock, code="83102")
    reports = await send(store, clock, facility, sample({"SENDER_CODE": "83102"}, citizen).encode())
    assert {reason.code for report in reports for reason in report.reasons} == {"facility-mismatch"}
    assert await rows(store, citizen.patient_id) == []
