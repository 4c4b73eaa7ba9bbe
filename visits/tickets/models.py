"""A number in a line, as its holder and as the counter sees it."""

from datetime import date, datetime
from uuid import UUID

from msgspec import Struct


class QueueTicket(Struct, frozen=True):
    """number: in the line of that counter on that day in Vietnam. valid_until: until then a rescan gives the
    same number; whoever waits stands in line until called or the day ends. is_called: it was called already,
    so whoever asks for it missed the call."""

    counter_id: UUID
    counter_code: str
    day: date
    number: int
    valid_until: datetime
    is_called: bool = False


class TicketKept(Struct, frozen=True):
    number: int
    valid_until: datetime
    is_called: bool


class Given(Struct, frozen=True):
    """A number that stands, and where its counter is. unit_id: the department that the counter stands in."""

    counter_id: UUID
    unit_id: UUID | None
    day: date
    number: int


class InLine(Struct, frozen=True):
    """A number that waits, as the counter sees it: it names nobody."""

    number: int
    taken_at: datetime


class TicketState(Struct, frozen=True):
    """How far a number is. ahead: how many wait before it."""

    counter_code: str
    valid_until: datetime
    taken_at: datetime
    called_at: datetime | None
    left_at: datetime | None
    ahead: int


class ReadTicket(Struct, frozen=True, kw_only=True):
    """A number of this facility. ahead: how many wait before it."""

    counter_code: str
    day: date
    number: int
    called_at: datetime | None
    has_left: bool
    ahead: int
