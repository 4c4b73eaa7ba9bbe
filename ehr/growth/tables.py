"""WHO's tables of L, M and S: the row for an age or a length (data/README.md says where they are from).

Up to five years a row stands for each day; from 61 completed months on one for each month, and between two
rows L, M and S lie on a straight line, as in WHO AnthroPlus. Between day 1826 and month 61 neither
table has rows: the line goes from the last of one to the first of the other.
"""

import csv
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

from msgspec import Struct

from ehr.growth.models import Measure, Sex

_DATA: Final = Path(__file__).with_name("data")
CHILDREN: Final = "who-2006"
SCHOOL_AGE: Final = "who-2007"
STANDARDS: Final = [CHILDREN, SCHOOL_AGE]
# A twelfth of 365.25, as WHO counts.
DAYS_OF_MONTH: Final = 30.4375
DAYS_LAST: Final = 1826
MONTHS_FIRST: Final = 61
# 19 years: the last row of the reference.
MONTHS_LAST: Final = 228
# From this day on a child is measured standing (WHO Anthro: 24 months).
STANDING_FROM_DAYS: Final = 731


class Row(Struct, frozen=True):
    """Power, median and coefficient of variation at one age or length."""

    l: float  # noqa: E741 - the method's own letter
    m: float
    s: float


_Rows: TypeAlias = dict[float, Row]


def row_of_age(measure: Measure, sex: Sex, days: int) -> Row | None:
    """The row for an age in days; None outside the tables."""
    if days < 0 or measure == "weight-for-length-height":
        return None
    if days <= DAYS_LAST:
        return _rows(CHILDREN, measure)[sex].get(float(days))
    later = _rows(SCHOOL_AGE, measure)[sex] if _has(SCHOOL_AGE, measure) else {}
    months = days / DAYS_OF_MONTH
    if months < MONTHS_FIRST:
        last, first = _rows(CHILDREN, measure)[sex][DAYS_LAST], later.get(float(MONTHS_FIRST))
        start = DAYS_LAST / DAYS_OF_MONTH
        return None if first is None else _between(last, first, (months - start) / (MONTHS_FIRST - start))
    whole = int(months)
    before, after = later.get(float(whole)), later.get(float(whole + 1))
    if before is None or months == whole:
        return before
    return None if after is None else _between(before, after, months - whole)


def row_of_length(sex: Sex, days: int, cm: float) -> Row | None:
    """The row of weight for a length (lying, under 24 months) or height, to the nearest millimetre."""
    name = "weight-for-length" if days < STANDING_FROM_DAYS else "weight-for-height"
    # Each table is for children under five; the place of the last digit is WHO's rounding.
    return _rows(CHILDREN, name)[sex].get(round(cm, 1)) if days <= DAYS_LAST else None


def _between(before: Row, after: Row, part: float) -> Row:
    return Row(
        before.l + (after.l - before.l) * part,
        before.m + (after.m - before.m) * part,
        before.s + (after.s - before.s) * part,
    )


def _has(standard: str, name: str) -> bool:
    return (_DATA / standard / f"{name}.csv").exists()


@cache
def _rows(standard: str, name: str) -> dict[Sex, _Rows]:
    found: dict[Sex, _Rows] = {"female": {}, "male": {}}
    with (_DATA / standard / f"{name}.csv").open(encoding="utf-8") as file:
        lines = csv.reader(file)
        next(lines)
        for sex, at, l, m, s in lines:  # noqa: E741
            found["male" if sex == "male" else "female"][float(at)] = Row(float(l), float(m), float(s))
    return found
