"""From FHIR text to a row: dates, titles, flags, what is refused."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehr.dates import UNDATED, moment
from ehr.extract import extract
from ehr.fhir import Coding, Concept
from ehr.models import Item, NewResource
from ehr.titles import title_of
from tests.support.record import bundle, resource

ICD = "http://hl7.org/fhir/sid/icd-10"


def read(body: dict[str, Any]) -> NewResource:
    return resource({"id": "x"} | body)


def item(row: NewResource) -> Item:
    return msgspec.json.decode(row.item, type=Item)


@pytest.mark.parametrize(
    ("text", "precision", "first", "last"),
    [
        ("2019", "year", "2019-01-01T00:00:00+07:00", "2019-12-31T23:59:59.999999+07:00"),
        ("2020-02", "month", "2020-02-01T00:00:00+07:00", "2020-02-29T23:59:59.999999+07:00"),
        ("2019-05-03", "day", "2019-05-03T00:00:00+07:00", "2019-05-03T23:59:59.999999+07:00"),
        ("2019-05-03T10:00:00Z", "instant", "2019-05-03T10:00:00+00:00", "2019-05-03T10:00:00+00:00"),
    ],
)
def test_a_partial_date_keeps_its_precision(text: str, precision: str, first: str, last: str) -> None:
    found = moment(text)
    assert (found.text, found.precision) == (text, precision)
    assert (found.first.isoformat(), found.last.isoformat()) == (first, last)


@pytest.mark.parametrize("text", ["2019-13", "2019-02-30", "19", "03/05/2019", "2019-5-3", "0000", "", "x"])
def test_an_impossible_date_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        moment(text)


@given(st.text(max_size=30))
def test_no_text_breaks_the_reading_of_dates(text: str) -> None:
    try:
        moment(text)
    except msgspec.ValidationError:
        return


def test_an_event_without_date_is_undated_not_today() -> None:
    row = read({"resourceType": "Condition"})
    assert (row.eff, row.eff_until, row.eff_precision, row.sort_at) == (None, None, None, UNDATED)


def test_a_day_to_come_back_is_a_plan_of_its_visit_and_ahead_until_it_is_over() -> None:
    visit = {"supportingInformation": [{"reference": "Encounter/v"}]}
    booked = {"resourceType": "Appointment", "status": "booked", "start": "2026-11-28T08:00:00+07:00"}
    row = read(booked | visit)
    assert (row.section, row.record_type, row.title) == ("care-plans", "CarePlan", "Hẹn khám lại")
    assert row.active_until == row.eff == datetime(2026, 11, 28, 1, tzinfo=UTC)
    assert read(booked | visit | {"status": "fulfilled"}).active_until is None
    assert read(booked | visit | {"status": "cancelled"}).section is None
    assert read(booked).section is None


def test_title_chain() -> None:
    vietnamese = Coding(system=ICD, code="E11", display="Type 2 diabetes")
    strange = Coding(system="http://x.test/codes", code="Q1", display="A thing")
    bare = Coding(system="http://x.test/codes", code="Q1")
    assert title_of(Concept(coding=[vietnamese], text="ĐTĐ lâu năm")) == "ĐTĐ lâu năm"
    assert title_of(Concept(coding=[vietnamese], text="Type 2 Diabetes")) == "Đái tháo đường típ 2"
    assert title_of(Concept(coding=[strange, vietnamese])) == "Đái tháo đường típ 2"
    assert title_of(Concept(coding=[strange])) == "A thing"
    assert title_of(Concept(coding=[bare])) == "Q1 (codes)"
    for useless in ("unknown", "Observation", "N/A", " "):
        assert title_of(Concept(coding=[bare], text=useless)) == "Q1 (codes)"
    assert title_of(Concept(), "Không có tên") == "Không có tên"


@pytest.mark.parametrize(
    "name", ["clinosim-jp-pt-cf5c96104724", "synthea-gdp-lanell756-b051fe0380ee", "carebundle-panel"]
)
def test_no_sample_is_titled_with_a_resource_name(name: str) -> None:
    for body in bundle(name):
        row = resource(body)
        if row.section:
            assert row.title
            assert row.title.casefold() != row.rtype.casefold()


def test_the_stored_text_keeps_every_digit_and_unknown_field() -> None:
    raw = b'{ "resourceType": "Condition",\n "id": "x", "extension": [{"url": "u", "valueDecimal": 1.50}] }'
    row = extract("Condition", raw, id="x", refer=lambda _: None)
    assert row.doc == '{"resourceType":"Condition","id":"x","extension":[{"url":"u","valueDecimal":1.50}]}'


def test_narrative_is_never_in_a_reading_view() -> None:
    hostile = '<div hx-get="/x"><script>alert(1)</script></div>'
    for body in bundle("ips-bundle-ips-all-sections"):
        row = resource(body | {"text": {"status": "generated", "div": hostile}})
        assert "script" not in row.item + row.title + (row.body or "")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"resourceType": "Observation", "status": "finale", "code": {}}, "$.status"),
        ({"resourceType": "Observation", "status": "final"}, "code"),
        ({"resourceType": "Condition", "code": "E11"}, "$.code"),
        ({"resourceType": "Encounter", "status": "finished"}, "class"),
        (
            {"resourceType": "Observation", "status": "final", "code": {}, "valueQuantity": {"value": "x"}},
            "$.valueQuantity.value",
        ),
    ],
)
def test_what_is_no_fhir_is_refused_with_its_place(body: dict[str, Any], place: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        read(body)
    assert place in str(refused.value)


def value(number: float, unit: str, **more: Any) -> Item:
    return item(
        read(
            {
                "resourceType": "Observation",
                "status": "final",
                "code": {"text": "K"},
                "valueQuantity": {"value": number, "unit": unit},
                "referenceRange": [
                    {"low": {"value": 3.5, "unit": "mmol/L"}, "high": {"value": 5.1, "unit": "mmol/L"}},
                    {
                        "type": {"coding": [{"code": "treatment"}]},
                        "low": {"value": 2.5, "unit": "mmol/L"},
                        "high": {"value": 6.5, "unit": "mmol/L"},
                    },
                ],
                **more,
            }
        )
    )


def test_flags_come_from_the_ranges_of_the_very_result() -> None:
    assert [value(n, "mmol/L").flag for n in (2.0, 3.0, 4.0, 5.5, 7.0)] == [
        "critical-low",
        "low",
        "normal",
        "high",
        "critical-high",
    ]


def test_a_range_in_another_unit_or_a_bounded_value_decides_nothing() -> None:
    assert value(99, "mg/dL").flag is None
    bounded = value(1, "mmol/L", valueQuantity={"value": 9, "unit": "mmol/L", "comparator": ">"})
    assert (bounded.flag, bounded.value) == (None, ">9")


def test_the_laboratorys_word_stands_before_the_number() -> None:
    assert value(4.0, "mmol/L", interpretation=[{"coding": [{"code": "H"}]}]).flag == "high"


def test_critical_says_call_the_doctor_and_names_no_disease() -> None:
    critical = value(7.0, "mmol/L")
    assert (
        critical.notice_vi
        == "Kết quả này cần được bác sĩ xem sớm. Hãy gọi cho bác sĩ hoặc cơ sở y tế của bạn."
    )


def test_dosage_is_the_prescribers_words_or_a_plain_sentence() -> None:
    timing = {"repeat": {"frequency": 2, "period": 1.0, "periodUnit": "d"}}
    row = read(
        {
            "resourceType": "MedicationRequest",
            "status": "active",
            "medicationCodeableConcept": {"text": "Paracetamol"},
            "dosageInstruction": [
                {"text": "Uống 1 viên khi sốt"},
                {"timing": timing, "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "viên"}}]},
            ],
        }
    )
    assert item(row).dosage == ["Uống 1 viên khi sốt", "mỗi lần 1 viên, 2 lần mỗi ngày"]


def test_a_document_shows_plain_text_and_no_other_format() -> None:
    def document(kind: str) -> NewResource:
        attachment = {"contentType": kind, "data": "PGI+YWJjPC9iPg=="}
        return read(
            {
                "resourceType": "DocumentReference",
                "status": "current",
                "content": [{"attachment": attachment}],
            }
        )

    assert document("text/plain; charset=utf-8").body == "<b>abc</b>"
    assert document("text/html").body is None
    assert document("application/rtf").body is None


def test_equal_text_with_other_white_space_is_equal_content() -> None:
    body = {"resourceType": "Condition", "id": "x"}
    rows = [
        extract("Condition", json.dumps(body, indent=n).encode(), id="x", refer=lambda _: None)
        for n in (None, 2)
    ]
    assert rows[0].content_sha256 == rows[1].content_sha256


def test_a_visit_with_a_bare_code_is_titled_by_its_setting() -> None:
    kind = {"coding": [{"system": "urn:vn:so-suc-khoe:care-kind", "code": "99"}]}
    visit = {"resourceType": "Encounter", "status": "finished", "class": {"code": "IMP"}, "type": [kind]}
    assert item(read(visit)).title == "Điều trị nội trú"
    kind["coding"][0]["code"] = "07"
    assert item(read(visit)).title == "Nhận thuốc theo hẹn"
