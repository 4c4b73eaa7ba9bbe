"""Every field of a manual entry is named in docs/mapping.md and does there what it says."""

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec import inspect

from ehr.entry.mapping import unit_of
from ehr.entry.models import EntryBody
from kernel.access import Actor
from tests.support.clock import START

MAPPING = Path(__file__).resolve().parents[3] / "docs" / "mapping.md"
DOCTOR = Actor(
    kind="practitioner", actor_id=UUID(int=1), name="BS. Giả Định", role="doctor", licence="17/CCHN"
)
# SYNTHETIC: every field says something, and every list has one line that does.
WHOLE: dict[str, Any] = {
    "person": {
        "numbers": [{"kind": "national-id", "value": "079080001234"}],
        "name": "Trần Văn Thử",
        "birth_date": "1980-03-12",
        "sex": "male",
    },
    "encounter": {
        "kind": "outpatient",
        "started_at": "2026-03-02T08:00:00+07:00",
        "ended_at": "2026-03-02T09:00:00+07:00",
        "department": "Khoa khám",
        "reason": "Đau đầu",
        "visit_number": "V-1",
    },
    "diagnoses": [{"name": "Tăng huyết áp", "code": "I10"}],
    "vital_signs": {
        "pulse": "76",
        "temperature": "37.0",
        "systolic": "150",
        "diastolic": "95",
        "respiration": "18",
        "oxygen_saturation": "97",
        "height": "160",
        "weight": "58.50",
        "waist": "80",
    },
    "results": [
        {
            "kind": "laboratory",
            "name": "Glucose máu",
            "code": "23.0075",
            "value": "5.60",
            "unit": "mmol/L",
            "conclusion": "Bình thường",
            "done_at": "2026-03-01",
        }
    ],
    "medications": [
        {
            "name": "Amlodipin",
            "strength": "5 mg",
            "dosage": "1 viên/lần * 1 lần/ngày * 30 ngày [1 viên/ngày]",
            "instruction": "Sau ăn",
            "route": "Uống",
            "quantity": "30",
            "unit": "viên",
        }
    ],
    "allergies": [
        {"substance": "Penicillin", "category": "medication", "reaction": "Mày đay", "severity": "mild"}
    ],
    "immunizations": [
        {"vaccine": "Cúm mùa", "code": "CUM", "given_at": "2025-10", "lot_number": "A1", "dose_number": 1}
    ],
    "procedures": [{"name": "Khí dung", "code": "02.0001", "performed_at": "2026-03-01"}],
    "advice": "Ăn nhạt.",
    "revisit_on": "2026-12-20",
}
# Another value, where a letter more is none.
OTHER: dict[str, Any] = {
    "person.numbers[].kind": "facility-patient-id",
    "person.numbers[].value": "079080001235",
    "person.sex": "female",
    "encounter.kind": "inpatient",
    "diagnoses[].code": "I11",
    "results[].kind": "imaging",
    "allergies[].category": "food",
    "allergies[].severity": "severe",
    "immunizations[].given_at": "2025-11",
    "immunizations[].dose_number": 2,
    "medications[].quantity": "60",
}


def fields_of(told: inspect.Type, path: str = "") -> Iterator[str]:
    """The path of every plain field below a type."""
    if isinstance(told, inspect.Metadata):
        yield from fields_of(told.type, path)
    elif isinstance(told, inspect.UnionType):
        inner = [one for one in told.types if not isinstance(one, inspect.NoneType)]
        yield from fields_of(inner[0], path)
    elif isinstance(told, inspect.ListType):
        yield from fields_of(told.item_type, f"{path}[]")
    elif isinstance(told, inspect.StructType):
        for one in told.fields:
            yield from fields_of(one.type, f"{path}.{one.encode_name}".lstrip("."))
    else:
        yield path


FIELDS = sorted(fields_of(inspect.type_info(EntryBody)))


def documented() -> dict[str, str]:
    """What the section on manual entry says of each field."""
    section = MAPPING.read_text("utf-8").partition("\n# Manual entry\n")[2].partition("\n# ")[0]
    lines = [line.strip("| ").partition(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {name: said for names, _, said in lines for name in re.findall(r"`([a-z_.\[\]]+)`", names)}


def holder_of(body: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    *way, last = path.replace("[]", ".0").split(".")
    place: Any = body
    for name in way:
        place = place[int(name)] if name == "0" else place[name]
    return place, last


def kept(body: dict[str, Any]) -> object:
    unit = unit_of(msgspec.convert(body, EntryBody), UUID(int=7), DOCTOR, START)
    return unit.person, sorted(item.raw for item in unit.items)


def changed(path: str) -> dict[str, Any]:
    body = copy.deepcopy(WHOLE)
    holder, name = holder_of(body, path)
    value = holder[name]
    if path in OTHER:
        holder[name] = OTHER[path]
    elif re.match(r"\d{4}-\d\d-\d\d", value):
        holder[name] = value[:9] + ("8" if value[9] != "8" else "7") + value[10:]
    else:
        holder[name] = f"{value}1"
    if name == "ended_at":
        holder[name] = "2026-03-02T09:30:00+07:00"
    return body


def test_every_field_is_documented_and_no_other() -> None:
    assert sorted(documented()) == FIELDS


@pytest.mark.parametrize("path", FIELDS)
def test_a_field_does_what_the_document_says(path: str) -> None:
    is_kept = not documented()[path].startswith("not kept")
    assert (kept(changed(path)) != kept(WHOLE)) is is_kept, documented()[path]


@pytest.mark.parametrize("path", FIELDS)
def test_a_field_that_is_left_out_leaves_something_out(path: str) -> None:
    body = copy.deepcopy(WHOLE)
    holder, name = holder_of(body, path)
    del holder[name]
    try:
        other = kept(body)
    except msgspec.ValidationError as error:
        assert "missing required field" in str(error)  # noqa: PT017
        return
    assert other != kept(WHOLE)
