"""The half-made row that a view function hands to ehr/extract.py."""

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from ehr.dates import OPEN_END, Moment, moment
from ehr.fhir import Concept, Note, Period, Reference
from ehr.models import Item, Referred, Section
from kernel.access import RecordType

Refer = Callable[[str], Referred | None]


class Draft(Struct, kw_only=True):
    """A reading view with the index columns that cannot be read off it."""

    item: Item
    section: Section | None
    concept: Concept | None = None
    concepts: list[Concept] = []
    when: Moment | None = None
    until: datetime | None = None
    active_until: datetime | None = None
    encounter: Reference | None = None
    main: Reference | None = None
    category: str | None = None
    negative: bool = False
    flag: int = 0
    body: str | None = None


def first_date(*texts: str | None) -> Moment | None:
    """The first date given. Raises msgspec.ValidationError when it is none."""
    for text in texts:
        if text:
            return moment(text)
    return None


def start(period: Period | None) -> str | None:
    return period.start if period else None


def end(period: Period | None) -> str | None:
    return period.end if period else None


def last_instant(text: str | None) -> datetime | None:
    """The last instant that a closing date may mean."""
    return moment(text).last if text else None


def active_until(is_active: bool, ending: str | None) -> datetime | None:
    """Until when something is active: open-ended, until its end, or None for not at all."""
    if not is_active:
        return None
    return moment(ending).last if ending else OPEN_END


def code_of(concept: Concept | None) -> str | None:
    """The first code of a status-like concept."""
    return next((c.code for c in concept.coding if c.code), None) if concept else None


def notes(found: list[Note]) -> str | None:
    return "\n".join(n.text for n in found if n.text) or None


def name_of(reference: Reference | None) -> str | None:
    return reference.display if reference else None


def new_item(ident: str, kind: RecordType, title: str, status: str, when: Moment | None) -> Item:
    return Item(
        id=ident,
        kind=kind,
        title=title,
        status=status,
        date=when.text if when else None,
        date_precision=when.precision if when else None,
    )
