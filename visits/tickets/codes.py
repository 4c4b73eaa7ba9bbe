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
from store.database import Tx
from store.keys import KeyRing
from visits.tickets.models import QueueTicket, ReadTicket
from visits.tickets.problems import NUMBER_UNKNOWN, TICKET_ELSEWHERE
from visits.tickets.service import state_of

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


async def read_at(tx: Tx, keys: KeyRing, facility_id: UUID, text: str, now: datetime) -> ReadTicket | Refused:
    """What a number is that is shown at this facility. Refused: qr-…, ticket-elsewhere, number-unknown."""
    found = read_ticket(keys, text, now)
    if isinstance(found, Refused):
        return found
    if found.facility_id != facility_id:
        return Refused(problem=TICKET_ELSEWHERE, where="qr")
    state = await state_of(tx, facility_id, found.counter_id, found.day, found.number)
    if state is None:
        return Refused(problem=NUMBER_UNKNOWN, where="qr")
    return ReadTicket(
        counter_code=state.counter_code,
        day=found.day,
        number=found.number,
        called_at=state.called_at,
        has_left=state.left_at is not None,
        ahead=state.ahead,
    )
