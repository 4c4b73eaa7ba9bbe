"""Growth of a child: what was measured, and where it stands among the children of WHO's tables."""

from datetime import date
from decimal import Decimal
from typing import Final, Literal, get_args

from msgspec import Struct

from ehr.reads.models import Notice

Sex = Literal["female", "male"]
Measure = Literal[
    "weight-for-age",
    "length-height-for-age",
    "weight-for-length-height",
    "bmi-for-age",
    "head-circumference-for-age",
]
MEASURES: Final[tuple[Measure, ...]] = get_args(Measure)

Position = Literal["lying", "standing"]
# implausible: beyond what WHO's own programs accept as measured.
Band = Literal["below-3", "below-2", "within", "above-2", "above-3", "implausible"]
# Why a measurement has no z-score: it lies before the day the child was due, or outside the tables.
Without = Literal["before-term", "outside-tables"]


class Taken(Struct, frozen=True, kw_only=True):
    """One measurement of the record. day: of the measurement, in the source's own zone."""

    id: str
    kind: Literal["weight", "length", "head"]
    day: date
    value: Decimal
    position: Position | None
    facility_name: str | None
    self_declared: bool


class GrowthPoint(Struct, frozen=True, kw_only=True):
    """One measurement and its place. value: decimal text in the series' unit; z: in standard deviations, two
    decimals; age_days: on that day, and corrected for an early birth where that counts; length: in cm, of
    weight for length; measured: the ids of the results behind it."""

    date: str
    age_days: int
    corrected_age_days: int | None
    value: str
    length: str | None
    position: Position | None
    z: str | None
    band: Band | None
    without: Without | None
    facility_name: str | None
    self_declared: bool
    measured: list[str]


class GrowthSeries(Struct, frozen=True, kw_only=True):
    """All of one measure, oldest first. chart: the picture's address."""

    measure: Measure
    title_vi: str
    unit: str
    chart: str
    points: list[GrowthPoint]


class GrowthWords(Struct, frozen=True, kw_only=True):
    """What the newest measurement says in plain words, and where to go. reviewed: whether a named clinician
    approved these words yet."""

    measure: Measure
    band: Band
    date: str
    text_vi: str
    go_to_vi: str
    self_declared_vi: str | None
    reviewed: bool


class Growth(Struct, frozen=True, kw_only=True):
    """A child's growth by the standards named. gestational_weeks: of an early birth that is known, by which
    ages are corrected; correction_vi: how, or that an early birth is written without its week and nothing is
    corrected; texts_version: of the words."""

    sex: Sex
    birth_date: str
    gestational_weeks: str | None
    correction_vi: str | None
    standards: list[str]
    series: list[GrowthSeries]
    words: list[GrowthWords]
    texts_version: str
    source_vi: str
    notice: Notice | None
