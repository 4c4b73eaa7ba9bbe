"""What the reads answer. `Item` comes from the store as ready JSON and is passed through."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from ehr.cases.models import Awaited
from ehr.models import Flag, Item, ItemSource, Range, Section
from ehr.reads.currency import CoreShown

SectionState = Literal["listed", "none-known", "not-asked", "unavailable"]


class Notice(Struct, frozen=True, kw_only=True):
    vi: str
    en: str


class Person(Struct, frozen=True, kw_only=True):
    """Who the book is about. birth_date at its own precision; age in whole years where that is known."""

    name: str | None
    birth_date: str | None
    birth_precision: Literal["year", "month", "day"] | None
    sex: Literal["male", "female", "unknown"]
    age_years: int | None
    blood_groups: list[Item]


class SourceShown(Struct, frozen=True, kw_only=True):
    """A facility whose items are shown, and when the last of them arrived."""

    name: str
    as_of: datetime


class SummarySection(Struct, frozen=True, kw_only=True):
    """One IPS section. state: listed; none-known = somebody asked; not-asked = no information;
    unavailable = nothing is here, and a source that could know was not reached lately.
    """

    key: str
    loinc: str | None
    title_vi: str
    state: SectionState
    state_vi: str | None
    items: list[Item]
    more: bool


class Summary(Struct, frozen=True, kw_only=True):
    """The patient summary after IPS 2.0.0. `notice` stands in every answer that rests on a grant.

    cores: other record systems this book is also read from, and how current they are.
    """

    person: Person
    as_of: datetime | None
    sources: list[SourceShown]
    notice: Notice | None
    sections: list[SummarySection]
    cores: list[CoreShown] = []


class Page(Struct, frozen=True, kw_only=True):
    """A page of items, newest first, undated last. `next` is opaque; null on the last page."""

    items: list[Item]
    next: str | None
    notice: Notice | None


class Visit(Struct, frozen=True, kw_only=True):
    """An encounter with its diagnoses and the advice and treatment plan given."""

    encounter: Item
    diagnoses: list[Item]
    plans: list[Item]


class VisitPage(Struct, frozen=True, kw_only=True):
    items: list[Visit]
    next: str | None
    notice: Notice | None


class TimelineEntry(Struct, frozen=True, kw_only=True):
    """kind: encounter; day = things of one day outside any visit; undated = date unknown."""

    kind: Literal["encounter", "day", "undated"]
    title: str
    date: str | None
    encounter: Item | None
    items: list[Item]
    more: bool


class OneVisit(Struct, frozen=True, kw_only=True):
    """One visit as the timeline shows it, with more of its items. more: even these are not all."""

    title: str
    date: str | None
    encounter: Item
    items: list[Item]
    more: bool
    notice: Notice | None


class OneResult(Struct, frozen=True, kw_only=True):
    """One result as its section shows it."""

    result: Item
    notice: Notice | None


class PendingResults(Struct, frozen=True, kw_only=True):
    """Results that came and are not shown yet, of one kind and facility; never what they say.

    release_at: when they appear; null where a doctor looks at them first.
    """

    category: Literal["results", "imaging", "documents"]
    facility_name: str | None
    release_at: datetime | None
    text_vi: str


class Timeline(Struct, frozen=True, kw_only=True):
    """pending and waiting stand on the first page. pending: results not released to the person, in the own
    view; waiting: visits whose data have not come, also under a grant that withholds nothing of them."""

    items: list[TimelineEntry]
    next: str | None
    notice: Notice | None
    pending: list[PendingResults] = []
    waiting: list[Awaited] = []


class Change(Struct, frozen=True, kw_only=True):
    """An item as its section shows it now. encounter_id: the visit it belongs to."""

    section: Section
    encounter_id: str | None
    item: Item


class Removed(Struct, frozen=True, kw_only=True):
    """Something that the app drops. kind: the FHIR type."""

    kind: str
    id: str


class ChangePage(Struct, frozen=True, kw_only=True):
    """Changes since a cursor. Applied twice, a page changes nothing more. removed: what is gone, for this
    reader. cursor: to ask with next. has_more: the rest follows at once."""

    items: list[Change]
    removed: list[Removed]
    cursor: str
    has_more: bool


class TrendPoint(Struct, frozen=True, kw_only=True):
    """One result with the range that was valid then. value: decimal text as reported."""

    id: str
    date: str | None
    date_precision: Literal["instant", "day", "month", "year"] | None
    value: str
    range: Range | None
    flag: Flag | None
    facility_name: str | None
    sources: list[ItemSource] = []
    hidden: bool = False
    not_yet_released: bool = False
    disputed: bool = False
    self_declared: bool = False


class TrendSeries(Struct, frozen=True, kw_only=True):
    """Results that may be compared: one code system, one part, one unit. Oldest first, undated last."""

    title: str
    code: str
    code_system: str | None
    unit: str | None
    points: list[TrendPoint]


class Trend(Struct, frozen=True, kw_only=True):
    """All series of one code. More than one: units or parts differ and are not mixed."""

    code: str
    series: list[TrendSeries]
    more: bool
    notice: Notice | None


class Built(Struct, frozen=True):
    """An answer before it leaves: the bytes, and what they show, for the access log."""

    body: bytes
    shown: list[tuple[str, str]]
