"""A hotline's ticket as kept and as its agents see it."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

# Ours, closed: a topic is no diagnosis.
Topic = Literal[
    "sign-in",
    "find-facility",
    "appointment",
    "record-question",
    "sharing",
    "lost-phone",
    "complaint",
    "other",
]
TicketState = Literal["open", "assigned", "closed"]


class TicketRow(Struct, frozen=True):
    """One ticket. body, caller_name, caller_phone, outcome: sealed under the ticket's id."""

    facility_id: UUID
    ticket_id: UUID
    topic: Topic
    state: TicketState
    body: bytes
    caller_name: bytes | None
    caller_phone: bytes | None
    outcome: bytes | None
    opened_by: UUID
    opened_at: datetime
    assigned_to: UUID | None
    assigned_at: datetime | None
    closed_by: UUID | None
    closed_at: datetime | None


class TicketLine(Struct, frozen=True, kw_only=True):
    """A ticket in the list: nothing of the caller. assigned_to: an agent's practitioner id."""

    ticket_id: UUID
    topic: Topic
    state: TicketState
    opened_at: datetime
    assigned_to: UUID | None


class Ticket(TicketLine, frozen=True, kw_only=True):
    """A ticket opened. emergency_vi: what callers hear first."""

    emergency_vi: str
    text: str
    caller_name: str | None
    caller_phone: str | None
    outcome: str | None
    closed_at: datetime | None


class NewTicket(Struct, frozen=True, kw_only=True):
    """What an agent writes down. caller_name, caller_phone: only if the caller wants to be called back."""

    topic: Topic
    text: str
    caller_name: str | None = None
    caller_phone: str | None = None
