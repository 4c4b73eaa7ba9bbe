"""A list of who was at a facility, as kept and as each side sees it."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from visits.models import Means

ListState = Literal["asked", "approved", "refused", "made", "ended"]
Zoned = Annotated[datetime, Meta(tz=True)]


class ListRow(Struct, frozen=True):
    """One list as kept. reached_*: how far the making is."""

    list_id: UUID
    facility_id: UUID
    since: datetime
    until: datetime
    legal_basis: str
    state: ListState
    asked_by: UUID
    asked_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    reached_at: datetime
    reached_id: UUID
    made_at: datetime | None
    count: int | None
    expires_at: datetime | None


class Came(Struct, frozen=True):
    """A check-in at the facility. is_flagged: it, another one of the same visit, or an appointment there
    about that time is kept from the family (visits/safety)."""

    patient_id: UUID
    check_in_id: UUID
    unit_id: UUID | None
    counter_id: UUID | None
    means: Means
    recorded_at: datetime
    is_flagged: bool


class Entry(Struct, frozen=True):
    """A visit of a list."""

    check_in_id: UUID
    patient_id: UUID
    unit_id: UUID | None
    counter_id: UUID | None
    means: Means
    recorded_at: datetime


class Asked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked for; every part is needed, and one that is missing is refused like one that is not
    allowed. since, until: whole hours, at most 72 of them, past and of the last 30 days. legal_basis: the
    decision or the article that allows it; what, never who."""

    facility_id: UUID | None = None
    since: Zoned | None = None
    until: Zoned | None = None
    legal_basis: Annotated[str, Meta(max_length=300)] = ""


class Decision(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    approve: bool


class ExposureList(Struct, frozen=True, kw_only=True):
    """A list without anybody on it. count: visits, a sum of hours that were each rounded to a multiple of 5,
    once; null until the list is made. is_own: one's own to read, as who asked or who approved. expires_at:
    from then on it is read no more."""

    list_id: UUID
    facility_id: UUID
    since: datetime
    until: datetime
    legal_basis: str
    state: ListState
    asked_at: datetime
    decided_at: datetime | None
    made_at: datetime | None
    expires_at: datetime | None
    count: int | None
    is_own: bool


class ExposedPerson(Struct, frozen=True, kw_only=True):
    """One visit of a list and how to reach who came. A person who came twice stands there twice. is_presence
    false: a number was typed or a poster scanned, so somebody else may have come (security.md S7)."""

    name: str | None
    birth_date: str | None
    phone: str | None
    came_at: datetime
    is_presence: bool
