"""Growth values equal those of an independent judge, row by row and at many points."""

from decimal import Decimal
from importlib import import_module
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygrowup import Observation

from ehr.growth import policy
from ehr.growth.models import MEASURES, Measure, Sex
from ehr.growth.tables import DAYS_OF_MONTH, Row, row_of_age, row_of_length

SEXES: tuple[Sex, ...] = ("female", "male")
JUDGE: dict[Measure, str] = {
    "weight-for-age": "wfa",
    "length-height-for-age": "lfa",
    "bmi-for-age": "bmifa",
    "head-circumference-for-age": "hcfa",
}
# The judge gives two decimals, and rounds once more before it bends what lies beyond three deviations.
TOLERANCE = 0.011
# Over five the judge takes the nearest month's row, and we the straight line between two.
TOLERANCE_BETWEEN_MONTHS = 0.02


def same(row: Row | None, theirs: dict[str, Decimal]) -> bool:
    assert row is not None
    return (row.l, row.m, row.s) == tuple(float(theirs[name]) for name in "lms")


@pytest.mark.parametrize("sex", SEXES)
@pytest.mark.parametrize("measure", JUDGE)
def test_every_row_for_an_age_is_the_judges(measure: Measure, sex: Sex) -> None:
    days = import_module(f"pygrowup.tables.by_day.{JUDGE[measure]}").DATA[sex]
    assert all(same(row_of_age(measure, sex, day), days[day]) for day in range(1827))


@pytest.mark.parametrize("sex", SEXES)
@pytest.mark.parametrize(("name", "day"), [("wfl", 0), ("wfh", 731)])
def test_every_row_for_a_length_is_the_judges(name: str, day: int, sex: Sex) -> None:
    rows = import_module(f"pygrowup.tables.by_day.{name}").DATA[sex]
    assert len(rows) > 500
    assert all(same(row_of_length(sex, day, float(cm)), rows[cm]) for cm in rows)


@given(st.sampled_from(SEXES), st.sampled_from(list(JUDGE)), st.integers(1, 1826), st.floats(-7, 7))
def test_under_five_the_z_score_is_the_judges(sex: Sex, measure: Measure, day: int, about: float) -> None:
    row = row_of_age(measure, sex, day)
    assert row is not None
    value = Decimal(f"{near(row, about):.3f}")
    child = Observation(sex=sex, age_in_days=day)
    theirs = child.get_z_score(JUDGE[measure], sex, value, day)
    ours = policy.z_of_age(measure, sex, day, value)
    assert ours == pytest.approx(float(theirs), abs=TOLERANCE)


@given(st.sampled_from(SEXES), st.booleans(), st.integers(0, 450), st.floats(-6, 6))
def test_for_a_length_the_z_score_is_the_judges(sex: Sex, lying: bool, step: int, about: float) -> None:
    cm = Decimal(450 if lying else 650) / 10 + Decimal(step) / 10
    day = 300 if lying else 1000
    row = row_of_length(sex, day, float(cm))
    assert row is not None
    kg = Decimal(f"{near(row, about):.3f}")
    child = Observation(sex=sex, age_in_days=day)
    theirs = child.get_z_score("wfl" if lying else "wfh", sex, kg, cm)
    assert policy.z_of_length(sex, day, cm, kg) == pytest.approx(float(theirs), abs=TOLERANCE)


@given(
    st.sampled_from(SEXES),
    st.sampled_from(["length-height-for-age", "bmi-for-age", "weight-for-age"]),
    st.integers(61, 227),
    st.floats(-5, 5),
)
def test_over_five_the_z_score_is_the_judges(sex: Sex, measure: Measure, month: int, about: float) -> None:
    month = min(month, 119) if measure == "weight-for-age" else month
    day = round(month * DAYS_OF_MONTH)
    theirs_row = import_module(f"pygrowup.tables.by_month.{JUDGE[measure]}").DATA[sex][month]
    row = Row(*(float(theirs_row[name]) for name in "lms"))
    value = Decimal(f"{near(row, about):.3f}")
    child = Observation(sex=sex, age_in_days=day)
    theirs = child.get_z_score(JUDGE[measure], sex, value, day)
    ours = policy.z_of_age(measure, sex, day, value)
    assert ours == pytest.approx(float(theirs), abs=TOLERANCE_BETWEEN_MONTHS)


def test_between_the_two_tables_there_is_no_step() -> None:
    for sex in SEXES:
        for measure in ("length-height-for-age", "bmi-for-age", "weight-for-age"):
            middles = [row.m for day in range(1820, 1900) if (row := row_of_age(measure, sex, day))]
            steps = [abs(after - before) for before, after in pairwise(middles)]
            assert len(middles) == 80
            assert max(steps) < 0.05


def test_there_is_no_row_beyond_the_tables() -> None:
    assert row_of_age("head-circumference-for-age", "male", 1827) is None
    assert row_of_age("weight-for-age", "male", round(121 * DAYS_OF_MONTH)) is None
    assert row_of_age("bmi-for-age", "female", round(228.2 * DAYS_OF_MONTH)) is None
    assert row_of_age("bmi-for-age", "female", 228 * 30) is not None
    assert all(row_of_age(measure, "male", -1) is None for measure in MEASURES)
    assert row_of_length("male", 100, 44.9) is None
    assert row_of_length("male", 1900, 100.0) is None


def near(row: Row, about: float) -> float:
    """A value some deviations from the middle, on a straight line: the tables' own curve has an end."""
    return max(row.m * (1 + row.s * about), 0.5)
