"""What is counted, what is published, and what a report shows."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

Cube = Literal["people", "cases", "senders"]
Step = Literal["people", "buckets", "senders", "published"]
ReportName = Literal[
    "coverage", "completeness", "cases", "freshness", "intake", "documents", "channels", "deliveries"
]

# Of people: commune, group, bands, "". Of cases: week, commune, icd, "". Of senders: week, facility, status,
# reason.
Key = tuple[str, str, str, str]


class Group(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A population group of the national plans by completed years; both ends belong to it."""

    key: str
    title_vi: str
    from_years: int = 0
    to_years: int = -1


class Usual(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """More than usual = above mean + deviations × standard deviation of the weeks before, where there are
    enough."""

    weeks_before: int
    weeks_min: int
    deviations: float


class Rules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """rules.json: change it and raise `number`, then everybody is counted anew."""

    number: int
    groups: list[Group]
    groups_note_vi: str
    others: Group
    usual: Usual
    usual_note_vi: str
    weeks_kept: int
    days_kept: int


class SeenRow(Struct, frozen=True):
    """What was counted of a person last."""

    patient_id: UUID
    head_seq: int
    state: str
    rules: str
    counted_on: date
    bucket: int
    bands: str


class PersonRow(Struct, frozen=True):
    """A person on the walk, with what was counted last."""

    patient_id: UUID
    state: str
    head_seq: int
    seen_seq: int | None
    seen_state: str | None
    seen_rules: str | None
    seen_on: date | None
    seen_bucket: int | None
    bands: str | None


class Counted(Struct, frozen=True):
    """How many units fell into one cell, exactly. It leaves the database as a rounded cell only."""

    d1: str
    d2: str
    d3: str
    d4: str
    count: int


class Cell(Struct, frozen=True):
    """A published cell."""

    cube: Cube
    d1: str
    d2: str
    d3: str
    d4: str
    count: int

    @property
    def key(self) -> Key:
        return self.d1, self.d2, self.d3, self.d4


class SetRow(Struct, frozen=True):
    """A day's set and how far it is."""

    day: date
    step: Step
    last_person: UUID
    next_bucket: int
    published_at: datetime | None


class Sender(Struct, frozen=True):
    """A facility of the directory; its name in the directory is public."""

    facility_id: UUID
    name: str


class Figure(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One number. of: the dimensions with their values; `*` is the sum over all values of one.

    count: a multiple of 5; 0 means none or a few. usual: the mark of earlier weeks; above_usual: past it.
    percent: of all that came to the facility, one decimal, of rounded counts.
    last_week: Monday of the newest week with something; weeks_ago: how many weeks lie between.
    """

    of: dict[str, str]
    count: int
    title_vi: str | None = None
    usual: int | None = None
    above_usual: bool | None = None
    last_week: date | None = None
    weeks_ago: int | None = None
    percent: float | None = None


class Report(Struct, frozen=True, kw_only=True):
    """One view of a day's set. notes_vi: how it was counted."""

    report: ReportName
    day: date
    week: date | None
    notes_vi: list[str]
    figures: list[Figure]
    more: bool
