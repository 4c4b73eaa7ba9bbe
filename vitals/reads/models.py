"""What the reads answer. Values are in the unit beside them; times are instants, days the samples' own."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from ehr.reads.models import Notice
from vitals.figures.agp import Group, Profile
from vitals.figures.home_bp import HomeAverage


class SourceShown(Struct, frozen=True, kw_only=True):
    """Where a value is from. method: automatic, or typed by hand."""

    source_id: int
    app: str
    model: str | None
    kind: str
    method: str


class Beside(Struct, frozen=True, kw_only=True):
    """What stands beside every answer: whose word it is, that it is no diagnosis, and under a grant that it
    may be incomplete."""

    self_measured_vi: str
    no_diagnosis_vi: str
    notice: Notice | None


class LatestValue(Struct, frozen=True, kw_only=True):
    """The newest value of one kind, as it was sent. at: with its own zone. value: in `unit`.
    value2: diastolic. ctx: circumstances, by the kind."""

    kind: str
    title_vi: str
    at: datetime
    value: float
    value2: float | None
    unit: str
    ctx: str | None
    loinc: str | None
    id: UUID
    source: SourceShown


class Latest(Struct, frozen=True, kw_only=True):
    items: list[LatestValue]
    beside: Beside


class Bucket(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The values from `at` on, as long as a bucket is; where nothing was measured there is no bucket. sum: of
    what is added up (steps, energy, sleep). avg2, min2, max2: diastolic."""

    at: datetime
    n: int
    min: float
    max: float
    avg: float
    first: float
    last: float
    sum: float | None = None
    min2: float | None = None
    max2: float | None = None
    avg2: float | None = None


class ChartData(Struct, frozen=True, kw_only=True):
    """made_of: hours, where the time asked for is longer than two days or the kind is added up; else the
    readings themselves."""

    kind: str
    title_vi: str
    unit: str
    since: datetime
    until: datetime
    bucket_seconds: float
    made_of: Literal["hours", "readings"]
    buckets: list[Bucket]
    sources: list[SourceShown]
    beside: Beside


class Day(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One day of one kind; sum: of what is added up."""

    day: date
    n: int
    min: float
    max: float
    avg: float
    sum: float | None = None
    min2: float | None = None
    max2: float | None = None
    avg2: float | None = None


class Days(Struct, frozen=True, kw_only=True):
    """The latest day first; a day without a value has none."""

    kind: str
    title_vi: str
    unit: str
    items: list[Day]
    beside: Beside


class Week(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Seven days of one kind. days: that have values; avg: of all values; day_sum: the mean of the days' sums
    of what is added up."""

    since: date
    days: int
    n: int
    min: float
    max: float
    avg: float
    day_sum: float | None = None
    avg2: float | None = None


class KindWeek(Struct, frozen=True, kw_only=True):
    """The seven days that end with `until`, and the seven before them."""

    kind: str
    title_vi: str
    unit: str
    this: Week | None
    before: Week | None


class Weekly(Struct, frozen=True, kw_only=True):
    until: date
    items: list[KindWeek]
    beside: Beside


class Reading(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record as it was sent: a value, or a series of n points with its extremes. at: with its own zone.
    duplicate: the same reading came through a source that goes before; charts and averages leave it out."""

    id: UUID
    at: datetime
    unit: str
    source_id: int
    value: float | None = None
    value2: float | None = None
    end: datetime | None = None
    ctx: str | None = None
    n: int = 1
    min: float | None = None
    max: float | None = None
    duplicate: bool = False


class Readings(Struct, frozen=True, kw_only=True):
    """The newest first."""

    kind: str
    title_vi: str
    items: list[Reading]
    next: str | None
    sources: list[SourceShown]
    beside: Beside


class Goal(Struct, frozen=True, kw_only=True):
    """What is aimed at: percent of the time at least, or at most."""

    what: Literal["in_range", "below", "cv"]
    at_least: float | None = None
    at_most: float | None = None
    met: bool


class Agp(Struct, frozen=True, kw_only=True):
    """The glucose profile of whole days up to now, in mg/dL. low to high: the range, both included. goals are
    judged only where it is sufficient."""

    group: Group
    since: datetime
    until: datetime
    low: int
    high: int
    profile: Profile
    goals: list[Goal]
    sufficient_vi: str | None
    beside: Beside


class HomeBloodPressure(Struct, frozen=True, kw_only=True):
    """The days from `since` to `until`, both included; mm[Hg]."""

    since: date
    until: date
    average: HomeAverage
    text_vi: str
    beside: Beside
