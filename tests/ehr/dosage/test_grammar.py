"""Dose texts: the official grammar with its checksum, and what people write instead."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehr.dosage.grammar import daily_amount, read_dose
from tests.support.shared import shared

SLOTS = {"sáng": "morning", "trưa": "noon", "chiều": "afternoon", "tối": "evening"}


def cases() -> list[dict[str, Any]]:
    return [
        json.loads(line) for line in shared("data/vietnam/lieu_dung.jsonl").read_text("utf-8").splitlines()
    ]


def test_every_sample_reads_as_expected() -> None:
    for case in cases():
        dose, expect = read_dose(case["LIEU_DUNG"], case["CACH_DUNG"]), case["expect"]
        assert dose.form == expect["form"], case
        for name in ("per", "times", "days", "unit", "meal"):
            if name in expect:
                assert getattr(dose, name) == expect[name], (case, name)
        assert dose.interval_hours == expect.get("interval_h")
        assert dose.day_total == expect.get("total", dose.day_total)
        if isinstance(slots := expect.get("slots"), dict):
            assert {s.slot: s.amount for s in dose.slots} == {SLOTS[k]: v for k, v in slots.items()}
        elif slots:
            assert [s.slot for s in dose.slots] == [SLOTS[name] for name in slots]


def test_samples_with_brackets_come_to_their_sum() -> None:
    sums = [read_dose(case["LIEU_DUNG"]).sum_agrees for case in cases() if "[" in case["LIEU_DUNG"]]
    assert sums
    assert all(sums)


@pytest.mark.parametrize(
    ("text", "agrees"),
    [
        ("2 viên/lần * 2 lần/ngày * 5 ngày [5 viên/ngày]", False),
        ("1/2 viên/lần * 3 lần/ngày * 5 ngày [1,5 viên/ngày]", True),
        ("1/3 gói/lần * 3 lần/ngày * 5 ngày [1 gói/ngày]", True),
        ("1 1/2 viên/lần * 2 lần/ngày * 1 ngày [3 viên/ngày]", True),
        ("Sáng: 1 viên, Tối: 2 viên [2 viên/ngày]", False),
        ("1 lọ/lần * 1 lần/ngày * 03 ngày [4 lọ/đợt]", False),
        ("Uống theo chỉ dẫn [3 viên/ngày]", None),
    ],
)
def test_the_number_in_brackets_is_a_checksum(text: str, agrees: bool | None) -> None:
    assert read_dose(text).sum_agrees is agrees


@pytest.mark.parametrize(
    "text",
    [
        "02 VIÊN/LẦN * 2 LẦN/NGÀY * 05 NGÀY [4 VIÊN/NGÀY]...",
        "2 vie\u0302n/la\u0302\u0300n * 2 la\u0302\u0300n/nga\u0300y * 5 nga\u0300y [4 vie\u0302n/ngày]",
        "2&nbsp;viên/lần&#32;* 2 lần/ngày * 5 ngày [4 viên/ngày]",
        "2viên/lần*2lần/ngày*5ngày[4viên/ngày]",
    ],
)
def test_case_zeros_stops_entities_nfd_and_blanks_change_nothing(text: str) -> None:
    dose = read_dose(text)
    assert (dose.form, dose.per, dose.times, dose.days, dose.sum_agrees) == ("official", 2, 2, 5, True)


@pytest.mark.parametrize("text", ["Uống 1 viên khi đau", "Uống khi cần", "1 gói nếu sốt, cách nhau 6 giờ"])
def test_on_need_is_no_schedule(text: str) -> None:
    dose = read_dose(text)
    assert (dose.form, dose.as_needed, dose.times) == ("prn", True, None)


@pytest.mark.parametrize(
    "text", ["Ngày tối đa 4 viên", "", "xem tờ hướng dẫn", "???", "0 viên/lần * 0 lần/ngày"]
)
def test_what_is_not_said_is_not_made_up(text: str) -> None:
    dose = read_dose(text)
    assert (dose.slots, dose.times, dose.per) == ((), None, None)


def test_amounts_before_their_part_of_the_day_are_read() -> None:
    dose = read_dose("Uống 1 viên buổi sáng, 2 viên buổi tối")
    assert [(s.slot, s.amount) for s in dose.slots] == [("morning", 1), ("evening", 2)]
    assert (dose.unit, daily_amount(dose)) == ("viên", Decimal(3))


def test_two_relations_to_meals_are_none() -> None:
    assert read_dose("", "Uống trong hoặc ngay sau bữa ăn").meal is None
    assert read_dose("", "Uống trước bữa ăn 30 phút").meal == "before"


@given(st.text(max_size=200), st.text(max_size=80))
def test_no_text_breaks_it(dose: str, advice: str) -> None:
    read_dose(dose, advice)


@given(st.text(alphabet="0123456789/,.[]* viênlầngàysáng:tốx", max_size=120))
def test_no_near_miss_breaks_it(text: str) -> None:
    read_dose(text)
