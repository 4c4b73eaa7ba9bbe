"""The code of a number: what a phone shows or a kiosk prints, read at the counter. It names nobody."""

from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from kernel.clock import start_of_day
from kernel.problems import Refused
from qr import tokens
from qr.problems import QR_FORGED
from qr.sealing import open_reference, seal_reference
from store.keys import KeyRing
from visits.tickets.models import QueueTicket

_LABEL: Final = b"healthbook queue ticket"


class TicketRef(Struct, frozen=True):
    facility_id: UUID
    counter_id: UUID
    day: date
    number: int


def ticket_code(keys: KeyRing, facility_id: UUID, ticket: QueueTicket, now: datetime) -> str | None:
    """The text to draw, good until the number's day ends; None for a number of a day that is over."""
    ends_at = start_of_day(ticket.day + timedelta(days=1))
    if ends_at <= now:
        return None
    numbers = ticket.day.toordinal().to_bytes(4, "big") + ticket.number.to_bytes(4, "big")
    content = facility_id.bytes + ticket.counter_id.bytes + numbers
    return tokens.sign(keys, "ticket", seal_reference(keys, "identification", _LABEL, content), ends_at, now)


def read_ticket(keys: KeyRing, text: str, now: datetime) -> TicketRef | Refused:
    """Which number it is. Refused: qr-expired once its day is over, qr-…"""
    body = tokens.read(keys, "ticket", text, now)
    if isinstance(body, Refused):
        return body
    content = open_reference(keys, "identification", _LABEL, body)
    if content is None or len(content) != 40:
        return Refused(problem=QR_FORGED, where="qr")
    return TicketRef(
        facility_id=UUID(bytes=content[:16]),
        counter_id=UUID(bytes=content[16:32]),
        day=date.fromordinal(int.from_bytes(content[32:36], "big")),
        number=int.from_bytes(content[36:40], "big"),
    )
