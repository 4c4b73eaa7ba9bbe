"""Terms in days, as people in Vietnam count them. Pure but for the table of public holidays.

Public holidays come from PyPI `holidays`; the days that the government moves each year come from the
operator (`calendar_day`). A term begins on the day after and ends with its last day; a last day that is no
working day moves to the next one (Civil Code 2015, art. 147, 148: not in our sources, to be confirmed).
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from typing import Final, Literal

import holidays
from msgspec import Struct

from ehr.cases.models import Kind
from kernel.clock import end_of_day, local_day

Counted = Literal["calendar", "working"]
# What has a term: cases about the record, reports of an access (consent/reports), written questions.
TermKind = Kind | Literal["access-report", "consultation"]
# Day → whether it is worked, where the operator says so.
Moved = Mapping[date, bool]

DAY: Final = timedelta(days=1)
ACKNOWLEDGE_WORKING_DAYS: Final = 2


class Term(Struct, frozen=True):
    """How long a facility has to answer."""

    days: int
    counted: Counted


# vietnam.md §9: a data request is acknowledged within 2 working days; 10 days for a copy, 20 for an
# erasure, 15 for a withdrawal. Which of them a correction follows is not said there: our choice, to be set.
TERMS: Final[dict[TermKind, Term]] = {
    "missing-visit": Term(10, "calendar"),
    "correction": Term(15, "calendar"),
    "not-mine": Term(20, "calendar"),
    # Ours: what it takes to ask a colleague, and short enough for a quarrel.
    "access-report": Term(10, "calendar"),
    # Ours: a written question (visits/consultations) is no emergency, and a week is too long to wait.
    "consultation": Term(3, "working"),
}


@cache
def _year(year: int) -> holidays.HolidayBase:
    return holidays.country_holidays("VN", years=year)


def is_working(day: date, moved: Moved) -> bool:
    """Monday to Friday and no holiday, or a Saturday that is worked instead of a day off."""
    if day in moved:
        return moved[day]
    return bool(_year(day.year).is_working_day(day))


def after_working_days(start: date, days: int, moved: Moved) -> date:
    """The working day that many working days after `start`, which itself does not count."""
    day = start
    while days:
        day += DAY
        days -= is_working(day, moved)
    return day


def acknowledge_by(opened_at: datetime, moved: Moved) -> datetime:
    """The end of the second working day after."""
    return end_of_day(after_working_days(local_day(opened_at), ACKNOWLEDGE_WORKING_DAYS, moved))


def answer_by(opened_at: datetime, term: Term, moved: Moved) -> datetime:
    """The end of the last day of the term."""
    start = local_day(opened_at)
    if term.counted == "working":
        return end_of_day(after_working_days(start, term.days, moved))
    last = start + term.days * DAY
    while not is_working(last, moved):
        last += DAY
    return end_of_day(last)
