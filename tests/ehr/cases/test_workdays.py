"""Clocks over the long holidays: Tết 2026 is 16–20 February, Tết 2027 is 4–10 February."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehr.cases.workdays import (
    ACKNOWLEDGE_WORKING_DAYS,
    TERMS,
    Term,
    acknowledge_by,
    after_working_days,
    answer_by,
    is_working,
)
from kernel.clock import VIETNAM, end_of_day, local_day


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=VIETNAM).astimezone(UTC)


def last_day(deadline: datetime) -> date:
    """The last day on which an answer is in time."""
    return local_day(deadline - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("opened", "acknowledged"),
    [
        ("2026-11-18T10:00", "2026-11-20"),  # Wednesday: Thursday, Friday
        ("2026-11-19T23:59", "2026-11-23"),  # Thursday night: Friday, Monday
        ("2026-11-20T10:00", "2026-11-25"),  # Friday: Monday, then Culture Day on the 24th, Wednesday
        ("2026-02-13T10:00", "2026-02-24"),  # the Friday before Tết 2026
        ("2026-02-17T00:00", "2026-02-24"),  # on the first day of Tết 2026
        ("2027-02-02T10:00", "2027-02-11"),  # Tuesday before Tết 2027: Wednesday, then Thursday the 11th
        ("2027-02-03T10:00", "2027-02-12"),
        ("2026-08-20T10:00", "2026-08-22"),  # Friday, and the Saturday that is worked for 31 August
    ],
)
def test_a_case_is_acknowledged_within_two_working_days(opened: str, acknowledged: str) -> None:
    assert last_day(acknowledge_by(at(opened), {})) == date.fromisoformat(acknowledged)


@pytest.mark.parametrize(
    ("opened", "days", "counted", "answered"),
    [
        ("2026-11-02T10:00", 10, "calendar", "2026-11-12"),
        ("2026-11-05T10:00", 10, "calendar", "2026-11-16"),  # the 15th is a Sunday
        ("2026-02-06T10:00", 10, "calendar", "2026-02-23"),  # the 16th is in Tết 2026
        ("2027-01-26T10:00", 10, "calendar", "2027-02-11"),  # the 5th is in Tết 2027
        ("2026-02-13T10:00", 10, "working", "2026-03-06"),
        ("2026-11-02T10:00", 20, "calendar", "2026-11-23"),
    ],
)
def test_a_term_ends_with_a_working_day(opened: str, days: int, counted: str, answered: str) -> None:
    term = Term(days, "working" if counted == "working" else "calendar")
    assert last_day(answer_by(at(opened), term, {})) == date.fromisoformat(answered)


def test_the_operators_days_stand_above_the_table() -> None:
    friday = date(2026, 11, 20)
    assert is_working(friday, {})
    assert not is_working(friday, {friday: False})
    assert is_working(date(2026, 11, 21), {date(2026, 11, 21): True})
    moved = {date(2027, 2, 11): False, date(2027, 2, 12): False}
    assert last_day(acknowledge_by(at("2027-02-03T10:00"), moved)) == date(2027, 2, 16)


def test_the_terms_are_those_of_the_law_sheet() -> None:
    of_the_law = {"missing-visit": 10, "correction": 15, "not-mine": 20}
    # No law has a term for these (docs/consent.md, Reports; docs/book.md, Questions).
    ours = {"access-report": 10, "consultation": 3}
    assert {kind: term.days for kind, term in TERMS.items()} == of_the_law | ours
    assert ACKNOWLEDGE_WORKING_DAYS == 2


@given(
    opened=st.integers(0, 1700).map(lambda days: datetime(2025, 1, 1, 3, tzinfo=UTC) + timedelta(days=days)),
    days=st.integers(1, 30),
    off=st.sets(st.integers(0, 60), max_size=20),
)
def test_days_off_only_ever_move_a_deadline_later(opened: datetime, days: int, off: set[int]) -> None:
    start = local_day(opened)
    moved = {start + timedelta(days=number): False for number in off}
    for counted in ("calendar", "working"):
        term = Term(days, "working" if counted == "working" else "calendar")
        plain, later = answer_by(opened, term, {}), answer_by(opened, term, moved)
        assert plain <= later
        assert last_day(later) >= start + timedelta(days=days)
        assert is_working(last_day(later), moved)
        assert later == end_of_day(last_day(later))
    assert after_working_days(start, days, moved) > start
