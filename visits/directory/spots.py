"""Where a facility lies on the map that the index searches: Mercator's.

It is conformal: near a place all distances are stretched alike, so the nearest on the map are the nearest
on the ground. From 8° to 24° north the stretch grows by a tenth; within a hundred kilometres by less than
one in a hundred.
"""

from math import asin, asinh, cos, degrees, pi, radians, sin, sqrt, tan
from typing import Final

from visits.directory.models import Point

EARTH_METRES: Final = 6_371_008.8  # mean radius (IUGG)
# Further than the map is wide, so that the facilities of two specialties never mix.
APART_DEGREES: Final = 1000.0
# The map of one specialty, on either side of its middle.
HALF_WIDTH: Final = 200.0


def spot_of(at: Point, place: int = 0) -> tuple[float, float]:
    """(along, up), degrees of the map. place: the running number of a specialty; 0: the facility itself."""
    return (at.longitude + place * APART_DEGREES, degrees(asinh(tan(radians(at.latitude)))))


def metres(one: Point, other: Point) -> int:
    """Great-circle distance (haversine)."""
    low, high = radians(one.latitude), radians(other.latitude)
    half_up = sin((high - low) / 2)
    half_along = sin((radians(other.longitude - one.longitude) % (2 * pi)) / 2)
    return round(2 * EARTH_METRES * asin(min(1.0, sqrt(half_up**2 + cos(low) * cos(high) * half_along**2))))
