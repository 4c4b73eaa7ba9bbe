"""How a measurement becomes a z-score: pure functions over WHO's tables.

Sources: WHO Child Growth Standards, methods and development (2006) chapter 7; WHO Anthro and
AnthroPlus manuals and macros (2009–2011) for the switch of position and the limits of what is plausible.
"""

import math
from decimal import Decimal
from typing import Final

from ehr.growth.models import Band, Measure, Position, Sex
from ehr.growth.tables import DAYS_LAST, STANDING_FROM_DAYS, Row, row_of_age, row_of_length

# A child lying is longer than the same child standing.
LYING_LONGER_CM: Final = Decimal("0.7")
# What WHO's programs flag, per measure: lowest and highest z-score that still can be a measurement.
PLAUSIBLE: Final[dict[Measure, tuple[float, float]]] = {
    "weight-for-age": (-6, 5),
    "length-height-for-age": (-6, 6),
    "weight-for-length-height": (-5, 5),
    "bmi-for-age": (-5, 5),
    "head-circumference-for-age": (-5, 5),
}
# Born at full term: 37 weeks and later (WHO); due at 40.
TERM_WEEKS: Final = 37
DUE_DAYS: Final = 280
# The age is counted from the due day until 24 months of it (Royal College of Paediatrics and Child Health,
# notes on UK-WHO charts, for births before 32 weeks; American Academy of Pediatrics 2004: up to three years).
# No Vietnamese text was found: unconfirmed.
CORRECTED_UNTIL_DAYS: Final = STANDING_FROM_DAYS
# Beyond these no pregnancy that a person survived is recorded: a number there is a wrong number.
WEEKS_MIN: Final = 22
WEEKS_MAX: Final = 44
# No child is so many times as heavy or long as the median, nor so many times less.
FAR_OFF: Final = 1000
# Weight for length and height is for children under five.
WEIGHT_FOR_LENGTH_LAST_DAY: Final = DAYS_LAST


def corrected_age(days: int, gestational_days: int | None) -> int | None:
    """The age from the day the child was due, where the tables are read by it; None where they are not.

    Negative before that day.
    """
    if gestational_days is None or gestational_days >= TERM_WEEKS * 7:
        return None
    corrected = days - (DUE_DAYS - gestational_days)
    return corrected if corrected < CORRECTED_UNTIL_DAYS else None


def as_the_table(cm: Decimal, position: Position | None, days: int) -> Decimal:
    """The length as the tables of that age have it. A position that nobody wrote is the age's own."""
    stands = days >= STANDING_FROM_DAYS
    if position == "lying" and stands:
        return cm - LYING_LONGER_CM
    return cm + LYING_LONGER_CM if position == "standing" and not stands else cm


def z_of_age(measure: Measure, sex: Sex, days: int, value: Decimal) -> float | None:
    """The z-score of a value for an age; None outside the tables."""
    row = row_of_age(measure, sex, days)
    return None if row is None or value <= 0 else z_score(float(value), row)


def z_of_length(sex: Sex, days: int, cm: Decimal, kg: Decimal) -> float | None:
    """The z-score of a weight for a length as the tables have it; None outside them."""
    row = row_of_length(sex, days, float(cm))
    return None if row is None or kg <= 0 else z_score(float(kg), row)


def z_score(value: float, row: Row) -> float:
    """By L, M and S within three deviations; beyond them by the distance between the second and the third
    (the restricted method, WHO 2006 §7.3), for no child was measured there."""
    # So far off only the side tells anything, and a slip of many zeros fits no float.
    value = min(max(value, row.m / FAR_OFF), row.m * FAR_OFF)
    z = ((value / row.m) ** row.l - 1) / (row.l * row.s) if row.l else math.log(value / row.m) / row.s
    if abs(z) <= 3:
        return z
    side = 1 if z > 0 else -1
    third, second = value_at(3 * side, row), value_at(2 * side, row)
    return side * (3 + (value - third) / (third - second))


def value_at(z: float, row: Row) -> float:
    """The value that lies so many deviations from the median; z from −3 to 3."""
    if row.l:
        at: float = row.m * (1 + row.l * row.s * z) ** (1 / row.l)
        return at
    return row.m * math.exp(row.s * z)


def band_of(measure: Measure, z: float) -> Band:
    low, high = PLAUSIBLE[measure]
    if not low <= z <= high:
        return "implausible"
    if z < -2:
        return "below-3" if z < -3 else "below-2"
    if z > 2:
        return "above-3" if z > 3 else "above-2"
    return "within"
