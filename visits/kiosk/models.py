"""A kiosk as its facility and the device itself see it, and what it says of payments."""

from datetime import date, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct

from visits.counters.models import Counter
from visits.tickets.models import QueueTicket

# `$` alone would let a line break pass.
REFERENCE: Final = r"^[0-9A-Za-z][0-9A-Za-z._:/-]{3,63}$(?!\n)"
PaymentState = Literal["started", "paid", "failed", "cancelled"]


class NewKiosk(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """name: as the facility calls the device."""

    counter_id: UUID
    name: Annotated[str, Meta(min_length=1, max_length=100)]


class KioskRow(Struct, frozen=True):
    """counter_code, counter_name: null where the counter is closed. code_until: until then a code waits to be
    used; enrolled_at: when one last was."""

    kiosk_id: UUID
    name: str
    counter_id: UUID
    counter_code: str | None
    counter_name: str | None
    made_at: datetime
    code_until: datetime | None
    enrolled_at: datetime | None
    ended_at: datetime | None


class EnrolmentCode(Struct, frozen=True, kw_only=True):
    """Shown once; it works once, on one device, until then."""

    kiosk_id: UUID
    code: str
    valid_until: datetime


class Enrolling(Struct, frozen=True):
    """The kiosk whose code was just used."""

    client_id: UUID
    facility_id: UUID
    counter_id: UUID


class StationRow(Struct, frozen=True):
    """A kiosk with the open counter that it stands at."""

    kiosk_id: UUID
    facility_name: str
    facility_id: UUID
    counter_id: UUID
    code: str
    name: str
    unit_id: UUID | None
    opened_at: datetime


class Station(Struct, frozen=True):
    """Where a signed-in kiosk stands now."""

    kiosk_id: UUID
    facility_name: str
    counter: Counter


class Shown(Struct, frozen=True, kw_only=True):
    """What a kiosk shows after a scan. is_check_in: the person's own fresh code, which counts as presence; a
    card gives a number and nothing else."""

    ticket: QueueTicket
    is_check_in: bool


class TicketNamed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The number in the line that a fee was paid for."""

    day: date
    number: Annotated[int, Meta(ge=1, lt=2**31)]


class PaymentSaid(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the terminal says now. No sum, no card, no name."""

    state: PaymentState
    ticket: TicketNamed | None = None


class Payment(Struct, frozen=True):
    """reference: the terminal's own; state: what it said last."""

    reference: str
    kiosk_id: UUID
    counter_id: UUID
    state: PaymentState
    ticket_day: date | None
    ticket_number: int | None
    noted_at: datetime
    moved_at: datetime
