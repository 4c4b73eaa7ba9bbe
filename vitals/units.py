"""Units as they are sent (UCUM and what apps write instead), and exact conversion to whole stored numbers."""

from fractions import Fraction
from math import isfinite
from typing import Final

from msgspec import Struct

# A float product this near to a half is decided again in fractions.
TIE: Final = 1e-6


class Conversion(Struct, frozen=True):
    """stored = (value + add) × times, half-even. decimals: how many a value in this unit is shown with.

    rough_add, rough_times: the same as floats, exact enough away from a tie.
    """

    add: Fraction
    times: Fraction
    decimals: int
    rough_add: float
    rough_times: float


def conversion(times: Fraction | int, scale: int, decimals: int, add: int = 0) -> Conversion:
    """times: canonical units in one of this unit; add: what is added before, in this unit."""
    exact = Fraction(times) * scale
    return Conversion(Fraction(add), exact, decimals, float(add), float(exact))


def scaled(how: Conversion, value: float) -> int | None:
    """The whole number that is kept for a value as it was sent; None for NaN and infinities, and for what
    becomes one in the kind's own unit."""
    rough = (value + how.rough_add) * how.rough_times
    if not isfinite(rough):
        return None
    nearest = round(rough)
    if abs(rough - nearest) < 0.5 - TIE:
        return nearest
    return round((Fraction(repr(value)) + how.add) * how.times)


def unscaled(how: Conversion, stored: int, decimals: int | None = None) -> float:
    """The value in the unit of the conversion, half-even to its decimals."""
    return float(round(stored / how.times - how.add, how.decimals if decimals is None else decimals))
