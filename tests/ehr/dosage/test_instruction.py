"""Doses as FHIR: the text verbatim, parts of the day as codes, no clock."""

import json
from typing import Any

import msgspec

from ehr.dosage.instruction import DOSE_TOTAL, dosage_instruction


def made(text: str, advice: str = "", ordered: str = "2026-03-02T09:30:00+07:00") -> list[dict[str, Any]]:
    encoded = msgspec.json.encode(dosage_instruction(text, advice, ordered, {}))
    assert b"timeOfDay" not in encoded
    listed: list[dict[str, Any]] = json.loads(encoded)
    return listed


def test_the_official_form_becomes_frequency_amount_and_course() -> None:
    (dosage,) = made("2 viên/lần * 2 lần/ngày * 5 ngày [4 viên/ngày]", "Sau ăn")
    assert dosage["text"] == "2 viên/lần * 2 lần/ngày * 5 ngày [4 viên/ngày]"
    assert dosage["patientInstruction"] == "Sau ăn"
    assert dosage["timing"]["repeat"] == {
        "boundsPeriod": {"start": "2026-03-02", "end": "2026-03-06"},
        "frequency": 2,
        "period": 1,
        "periodUnit": "d",
        "when": ["PC"],
    }
    assert dosage["doseAndRate"] == [{"doseQuantity": {"value": 2, "unit": "viên"}}]
    assert dosage["extension"] == [
        {
            "url": DOSE_TOTAL,
            "extension": [
                {"url": "per-day", "valueQuantity": {"value": 4, "unit": "viên"}},
                {"url": "agrees", "valueBoolean": True},
            ],
        }
    ]


def test_a_sum_that_differs_is_flagged() -> None:
    (dosage,) = made("1 viên/lần * 2 lần/ngày * 5 ngày [3 viên/ngày]")
    assert dosage["extension"][0]["extension"][1] == {"url": "agrees", "valueBoolean": False}


def test_different_amounts_are_a_dosage_each_with_the_whole_text() -> None:
    first, second, third = made("Sáng: 3 viên, Chiều: 2 viên, Tối: 1 viên [6 viên/ngày]", "Trước ăn")
    assert [d["timing"]["repeat"]["when"] for d in (first, second, third)] == [["MORN"], ["AFT"], ["EVE"]]
    assert [d["doseAndRate"][0]["doseQuantity"]["value"] for d in (first, second, third)] == [3, 2, 1]
    assert len({d["text"] for d in (first, second, third)}) == 1
    assert first["additionalInstruction"][0]["coding"][0]["code"] == "AC"


def test_on_need_says_why_and_has_no_rhythm() -> None:
    (fever,) = made("Uống 1 viên khi sốt")
    assert fever["asNeededCodeableConcept"] == {"text": "khi sốt"}
    assert "timing" not in fever
    (any_time,) = made("Uống 1 viên khi cần")
    assert any_time["asNeededBoolean"] is True


def test_an_interval_is_no_part_of_the_day() -> None:
    (dosage,) = made("1 viên/lần, 2 lần/ngày cách nhau 12 giờ trong 5 ngày.")
    repeat = dosage["timing"]["repeat"]
    assert (repeat["frequency"], repeat["period"], repeat["periodUnit"]) == (1, 12, "h")


def test_text_alone_stays_text_alone() -> None:
    assert made("Xem tờ hướng dẫn") == [{"text": "Xem tờ hướng dẫn"}]
    assert made("", "") == []


def test_a_course_without_a_day_of_order_is_a_length() -> None:
    (dosage,) = made("1 viên/lần * 1 lần/ngày * 30 ngày [1 viên/ngày]", ordered="")
    assert dosage["timing"]["repeat"]["boundsDuration"]["value"] == 30


def test_days_that_are_not_every_day_are_said() -> None:
    (other,) = made("Uống cách ngày 1 viên buổi sáng")
    assert other["timing"]["repeat"] == {"frequency": 1, "period": 2, "periodUnit": "d", "when": ["MORN"]}
    (named,) = made("Uống 1 viên sáng thứ 2, 4, 6")
    assert named["timing"]["repeat"]["dayOfWeek"] == ["mon", "wed", "fri"]


def test_a_clock_time_of_the_text_is_one_and_what_was_not_understood_has_no_rhythm() -> None:
    encoded = msgspec.json.decode(
        msgspec.json.encode(dosage_instruction("Uống 1 viên lúc 8 giờ và 20 giờ", "", "2026-03-02", {}))
    )
    assert encoded[0]["timing"]["repeat"]["timeOfDay"] == ["08:00:00", "20:00:00"]
    for text in ("Sáng 1 viên, mỗi 3 ngày", "Uống 1 viên x 2-3 lần/ngày"):
        (open_one,) = made(text)
        assert "timing" not in open_one
    (changing,) = made("1 viên/lần * 2 lần/ngày * 5 ngày, sau đó sáng 1 viên trong 5 ngày")
    assert changing["timing"]["repeat"] == {"boundsPeriod": {"start": "2026-03-02", "end": "2026-03-11"}}
