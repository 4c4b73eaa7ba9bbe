"""A word that is no part of what was read makes the person asked, wherever it stands."""

from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehr.dosage.grammar import read_dose
from ehr.dosage.instruction import dosage_instruction

TABLE: Final = Path(__file__).parents[2] / "reminders" / "wordings.txt"
# Texts that are read as a whole; of `as needed` and of ranges too.
READ: Final = [
    text
    for text, expected in (line.split("  =>  ") for line in TABLE.read_text("utf-8").splitlines())
    if "? unread" not in expected
]
# A negation, a condition, a choice, a change, a limit, a sign, and words nobody knows.
INTRUDERS: Final = (
    "không", "tránh", "đừng", "kiêng", "hoặc", "tăng", "giảm", "thêm", "bớt", "rằm", "chạy thận",
    "methotrexat", ">", "+", "=", "cách tháng", "ngày lẻ", "khi thức",
)  # fmt: skip


@given(st.sampled_from(READ), st.sampled_from(INTRUDERS), st.integers(0, 40))
def test_no_word_is_passed_over(text: str, intruder: str, place: int) -> None:
    words = text.split()
    place %= len(words) + 1
    changed = read_dose(" ".join([*words[:place], intruder, *words[place:]]))
    assert changed.is_irregular or changed.is_range, (text, intruder, place)


@pytest.mark.parametrize(
    "text",
    [
        "1 viên x 2 lần/ngày x 5 ngày, 7 ngày",
        "1 viên x 2 lần/ngày, 2 viên",
        "1 viên x 2 lần/ngày, 3 lần/ngày",
        "Sáng 1 viên, sáng 1 viên",
        "Sáng 1 viên, tối 2 viên, 3 viên",
        "Sáng 1 viên, mỗi 8 giờ",
        "1 viên mỗi 8 giờ, mỗi 6 giờ",
        "1 viên thứ 2, tối 1 viên thứ 5",
        "1 viên trước ăn sáng, sau ăn tối",
        "Ngày uống 2 viên, sáng và tối",
        "Sáng 1 viên, trưa 0 viên",
        "Uống 1 viên lúc 7h sáng và 7h",
        "Tối 1 viên, tối đa 2 viên",
    ],
)
def test_one_thing_said_twice_is_neither(text: str) -> None:
    assert read_dose(text).is_irregular


def test_of_a_text_that_was_not_understood_nothing_is_told_but_the_text() -> None:
    text = "1 viên x 2 lần/ngày x 5 ngày, không uống lúc đói"
    assert dosage_instruction(text, "", "2026-03-02", {}) == [{"text": text}]
