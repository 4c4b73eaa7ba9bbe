"""Amounts as facilities write them."""

import pytest

from ehr.costs.models import Costs
from ehr.costs.policy import costs_of

NOTHING = {
    "total": "",
    "in_scope": "",
    "fund": "",
    "copaid": "",
    "self_paid": "",
    "other": "",
    "benefits": [],
}


def read(**texts: object) -> Costs:
    return costs_of(**(NOTHING | texts))  # type: ignore[arg-type]


def test_amounts_are_whole_dong_and_the_shares_are_added_up() -> None:
    made = read(
        total="500000", in_scope="400000", fund="320000.00", copaid="80000,00", self_paid="100000", other="0"
    )
    assert (made.total, made.in_scope, made.fund, made.copaid, made.self_paid, made.other) == (
        *(500000, 400000, 320000, 80000, 100000),
        0,
    )
    assert made.check == "agree"


@pytest.mark.parametrize(
    ("self_paid", "check"), [("100000.40", "agree"), ("100001", "disagree"), ("99999", "disagree")]
)
def test_what_is_off_by_a_dong_is_said_and_less_is_rounding(self_paid: str, check: str) -> None:
    made = read(total="500000", fund="320000", copaid="80000", self_paid=self_paid, other="0")
    assert made.check == check


@pytest.mark.parametrize("missing", ["total", "fund", "copaid", "self_paid", "other"])
def test_without_one_of_them_nothing_can_be_added_up(missing: str) -> None:
    sums = {"total": "500000", "fund": "320000", "copaid": "80000", "self_paid": "100000", "other": "0"}
    assert read(**(sums | {missing: ""})).check == "unknown"


@pytest.mark.parametrize("text", ["-1", "1.234.567", "1e9", "abc", "9" * 16, " 5", "٥", "5đ", "0x1f", "NaN"])
def test_what_is_no_amount_counts_as_not_sent(text: str) -> None:
    made = read(total=text)
    assert made.total is None
    assert made.is_empty


def test_levels_are_percents_each_once() -> None:
    assert read(benefits=["80", "100", "80.00", "", "101", "abc", "32"]).benefits == (32, 80, 100)


def test_the_largest_amount_is_kept_as_it_is() -> None:
    assert read(total="9" * 15).total == 999_999_999_999_999
