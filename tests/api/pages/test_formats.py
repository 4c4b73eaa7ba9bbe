"""Days, times and numbers in the form of the country, for every value a record can bring."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from api.pages.formats import clock_time, day, local_time, moment, money, number

INSTANT = datetime(2026, 11, 23, 20, 5, 9, tzinfo=UTC)
SINCE = datetime(1976, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (INSTANT, "24/11/2026"),
        (date(2026, 11, 23), "23/11/2026"),
        ("2026-11-23", "23/11/2026"),
        ("2026-11", "11/2026"),
        ("2026", "2026"),
        ("2026-11-23T20:05:09Z", "24/11/2026"),
        ("2026-11-23T20:05:09+07:00", "23/11/2026"),
        ("", ""),
        (None, ""),
        ("mùa thu", "mùa thu"),
        ("Tháng 5", "Tháng 5"),
        ("2026-11-23T25:00:00Z", "2026-11-23T25:00:00Z"),
    ],
)
def test_a_day_is_that_of_vietnam_and_as_exact_as_what_is_known(value: object, shown: str) -> None:
    assert day(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (INSTANT, "03:05 24/11/2026"),
        ("2026-11-23T20:05:09Z", "03:05 24/11/2026"),
        ("2026-11-23", "23/11/2026"),
        (date(2026, 11, 23), "23/11/2026"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_moment_is_the_time_in_vietnam_before_the_day(value: object, shown: str) -> None:
    assert moment(value) == shown


def test_a_time_of_day_stands_alone() -> None:
    assert clock_time(INSTANT) == "03:05"
    assert clock_time(None) == ""
    assert local_time(INSTANT) == "03:05:09 24/11/2026"


# Before 1976 the country's clocks went by other zones.
@given(some.integers(min_value=0, max_value=4 * 10**9).map(lambda s: SINCE + timedelta(seconds=s)))
def test_an_instant_and_its_text_are_shown_alike_seven_hours_ahead(at: datetime) -> None:
    shown = moment(at)
    assert shown == moment(at.isoformat()) == f"{clock_time(at)} {day(at)}"
    told = datetime.strptime(shown, "%H:%M %d/%m/%Y").replace(tzinfo=UTC)
    assert told == at.replace(second=0) + timedelta(hours=7)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1234.5, "1.234,5"),
        ("1234567", "1.234.567"),
        (0, "0"),
        ("-0.50", "-0,50"),
        ("6.9", "6,9"),
        ("<5", "<5"),
        ("NaN", "NaN"),
        ("1E999999999", "1E999999999"),
        ("1E-999999999", "1E-999999999"),
        ("9" * 1000, "9" * 1000),
        (None, ""),
    ],
)
def test_a_number_has_a_comma_for_its_fraction_and_points_between_thousands(
    value: object, shown: str
) -> None:
    assert number(value) == shown


@given(some.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9))
def test_no_digit_of_a_number_is_added_or_dropped(value: Decimal) -> None:
    shown = number(value)
    assert Decimal(shown.replace(".", "").replace(",", ".")) == value
    assert len(shown.partition(",")[2]) == 3


@given(some.integers(min_value=-(10**12), max_value=10**12))
def test_a_sum_is_in_whole_dong(value: int) -> None:
    shown = money(value)
    assert shown.endswith(" ₫")
    assert int(shown.removesuffix(" ₫").replace(".", "")) == value
    assert money(None) == ""
