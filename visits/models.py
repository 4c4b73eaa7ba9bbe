"""What a visit leaves behind before anything clinical is written."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from visits.tickets.models import QueueTicket

# citizen-qr and counter-qr are presence; the rest are a ticket at most (security.md S7).
Means = Literal["citizen-qr", "counter-qr", "staff-typed", "poster", "late", "companion"]


class Presence(Struct, frozen=True):
    """A proof that the person was at the facility within the last 12 hours (security.md S7)."""

    check_in_id: UUID
    recorded_by: UUID
    recorded_at: datetime


class Arrival(Struct, frozen=True):
    """Where a person checked in, and when. is_presence: the person was there, not only the number (S7)."""

    facility_id: UUID
    recorded_at: datetime
    is_presence: bool


class Ticket(Struct, frozen=True):
    """A number that an account typed today; nobody needs to have it."""

    arrival_id: UUID
    recorded_by: UUID
    recorded_at: datetime


class Typed(Struct, frozen=True, kw_only=True):
    """What the desk gets for a typed number: an id that tells nothing of it, and a number in the line."""

    arrival_id: UUID
    ticket: QueueTicket | None


class Came(Struct, frozen=True):
    """An arrival at an emergency unit, and who noted it."""

    check_in_id: UUID
    recorded_by: UUID
    recorded_at: datetime


class CheckIn(Struct, frozen=True, kw_only=True):
    """A check-in as the desk gets it back; it carries no patient_id (security.md S19)."""

    check_in_id: UUID
    patient_id: UUID
    recorded_at: datetime
    ticket: QueueTicket | None = None
