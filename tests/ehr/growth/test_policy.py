"""Position, correction for an early birth, and what is plausible."""

from decimal import Decimal

import pytest

from ehr.growth import policy
from ehr.growth.models import Measure
from ehr.growth.tables import row_of_age

MEASURES: tuple[Measure, ...] = (
    "weight-for-age",
    "length-height-for-age",
    "bmi-for-age",
    "head-circumference-for-age",
)


def test_a_length_is_made_what_the_tables_of_the_age_have() -> None:
    cm = Decimal("85.0")
    assert policy.as_the_table(cm, "lying", 730) == cm
    assert policy.as_the_table(cm, "standing", 730) == Decimal("85.7")
    assert policy.as_the_table(cm, "lying", 731) == Decimal("84.3")
    assert policy.as_the_table(cm, "standing", 731) == cm
    assert policy.as_the_table(cm, None, 100) == policy.as_the_table(cm, None, 1000) == cm


def test_an_early_birth_is_corrected_until_24_months_from_the_day_that_was_due() -> None:
    born_at_30_weeks = 30 * 7
    assert policy.corrected_age(100, born_at_30_weeks) == 30
    assert policy.corrected_age(50, born_at_30_weeks) == -20
    assert policy.corrected_age(730 + 70, born_at_30_weeks) == 730
    assert policy.corrected_age(731 + 70, born_at_30_weeks) is None
    assert policy.corrected_age(100, 37 * 7) is None
    assert policy.corrected_age(100, None) is None


def test_beyond_three_deviations_the_distance_of_the_third_counts() -> None:
    row = row_of_age("weight-for-age", "female", 365)
    assert row is not None
    third, second = policy.value_at(3, row), policy.value_at(2, row)
    assert policy.z_score(third + (third - second), row) == pytest.approx(4)
    third, second = policy.value_at(-3, row), policy.value_at(-2, row)
    assert policy.z_score(third - 0.5 * (second - third), row) == pytest.approx(-3.5)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("value", ["1E-400", "1E-300", "1E-9", "1E+8", "1E+300", "1E+400"])
def test_what_no_number_can_hold_is_implausible(measure: Measure, value: str) -> None:
    for days in (0, 100, 1000, 3000):
        z = policy.z_of_age(measure, "female", days, Decimal(value))
        if days == 3000 and z is None:
            continue
        assert z is not None
        assert abs(z) < 1e20
        assert policy.band_of(measure, z) == "implausible"


@pytest.mark.parametrize(
    ("z", "band"),
    [
        (-2.0, "within"),
        (-2.01, "below-2"),
        (-3.0, "below-2"),
        (-3.01, "below-3"),
        (2.0, "within"),
        (2.01, "above-2"),
        (3.01, "above-3"),
        (-6.01, "implausible"),
        (5.01, "implausible"),
    ],
)
def test_the_bands_have_sharp_edges(z: float, band: str) -> None:
    assert policy.band_of("weight-for-age", z) == band
    assert policy.band_of("length-height-for-age", 5.5) == "above-3"
