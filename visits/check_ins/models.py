"""A check-in as it is kept, a visit, and what the person sees of both."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from qr.tokens import TEXT_MAX
from visits.counters.models import Counter
from visits.models import Means
from visits.tickets.models import QueueTicket

EndedBy = Literal["person", "desk", "automatic", "withdrawn"]
CheckInView = Literal["presence", "typed", "number", "companion"]
QrText = Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]


class CheckInRow(Struct, frozen=True):
    """visit_id: None for a number that a companion took. ticket_*: the number that was given with it.
    left_at: since then the person is here no more, or the companion gave the number back."""

    patient_id: UUID
    check_in_id: UUID
    facility_id: UUID
    means: Means
    code_id: UUID
    recorded_by: UUID
    recorded_at: datetime
    unit_id: UUID | None
    visit_id: UUID | None
    counter_id: UUID | None
    ticket_day: date | None
    ticket_number: int | None
    left_at: datetime | None = None
    withdrawn_at: datetime | None = None


class AtCounter(Struct, frozen=True, kw_only=True):
    """Where a number is wanted, and for whom (visits/tickets/subjects.py)."""

    counter: Counter
    subjects: list[bytes]


class Coming(Struct, frozen=True, kw_only=True):
    """A person who comes. code_id: the same for every repeat of what showed it."""

    patient_id: UUID
    facility_id: UUID
    means: Means
    code_id: UUID
    unit_id: UUID | None = None
    at: AtCounter | None = None


class Noted(Struct, frozen=True, kw_only=True):
    """is_new False: a repeat; the first one stands."""

    row: CheckInRow
    ticket: QueueTicket | None
    is_new: bool


class VisitRow(Struct, frozen=True):
    patient_id: UUID
    visit_id: UUID
    facility_id: UUID
    began_at: datetime
    last_at: datetime
    ended_at: datetime | None
    ended_by: EndedBy | None


class PhoneScan(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a phone scanned at a counter.

    client_id: made by the phone for this scan; the same again is the same check-in. is_late: scanned
    without a network and sent now, which gives a number and no presence.
    """

    qr: QrText
    client_id: UUID
    is_late: bool = False


class ListedCheckIn(Struct, frozen=True):
    """A check-in with its visit, as a page of them is read. length: of a visit that somebody ended."""

    patient_id: UUID
    check_in_id: UUID
    facility_id: UUID
    means: Means
    recorded_by: UUID
    recorded_at: datetime
    unit_id: UUID | None
    counter_id: UUID | None
    ticket_day: date | None
    ticket_number: int | None
    left_at: datetime | None
    visit_id: UUID | None
    began_at: datetime | None
    ended_at: datetime | None
    ended_by: EndedBy | None


class TicketShown(Struct, frozen=True, kw_only=True):
    """A number as its holder sees it. valid_until: until then a rescan at the counter gives the same one; who
    waits stands in line until called or until `day` (in Vietnam) ends. ahead: how many wait before it; null
    once called. qr: to show at the counter; null once it is over."""

    counter_code: str
    day: date
    number: int
    valid_until: datetime
    state: Literal["waiting", "called", "over"]
    ahead: int | None
    qr: str | None


class VisitShown(Struct, frozen=True, kw_only=True):
    """minutes: from the first check-in to the check-out; null while it goes on, and for a visit that ended by
    itself because nobody checked out."""

    visit_id: UUID
    began_at: datetime
    ended_at: datetime | None
    minutes: int | None


class CheckInShown(Struct, frozen=True, kw_only=True):
    """how: presence (a rotating code was scanned), typed (staff typed the number), number (a poster, or sent
    later), companion (somebody took a number for the person)."""

    check_in_id: UUID
    facility_id: UUID
    facility_name: str
    recorded_at: datetime
    how: CheckInView
    ticket: TicketShown | None
    visit: VisitShown | None
