"""What a kiosk's payment terminal said of a fee: its reference and how it ended.

Nothing in the program depends on it: whether a fee was paid is between the facility and its payment provider.
No sum, no card and no person is taken, and a row goes after its time (healthbook/housekeeping.py).
"""

from datetime import date, datetime
from uuid import UUID

from identity import budgets
from kernel.clock import end_of_day, start_of_day
from kernel.problems import Refused
from store.database import Tx
from visits.kiosk import queries
from visits.kiosk.models import Payment, PaymentSaid, Station
from visits.kiosk.policy import is_card_number, may_move
from visits.kiosk.problems import PAYMENT_ENDED, PAYMENT_REFERENCE


async def note(
    tx: Tx, station: Station, reference: str, said: PaymentSaid, now: datetime
) -> Payment | Refused:
    """The terminal's word for one reference of this kiosk; the same word again changes nothing.

    The ticket is the one that was named first, with whichever word. Refused: too-many,
    payment-reference-card, payment-ended.
    """
    counted = budgets.subject(station.kiosk_id.bytes)
    refused = await budgets.charge_or_refuse(tx, budgets.KIOSK_PAYMENTS_HOUR, counted, now)
    if refused is not None:
        return refused
    if is_card_number(reference):
        return Refused(problem=PAYMENT_REFERENCE, where="reference")
    made = await _first(tx, station, reference, said, now)
    if made is not None:
        return made
    facility_id = station.counter.facility_id
    held = await queries.LOCK_PAYMENT.one(tx, facility_id, station.kiosk_id, reference)
    assert held is not None, "a payment is removed a month after it was noted"
    if not may_move(held.state, said.state):
        return Refused(problem=PAYMENT_ENDED, where="state")
    is_named_now = held.ticket_number is None and said.ticket is not None
    if held.state == said.state and not is_named_now:
        return held
    held_by = facility_id, station.kiosk_id, reference
    moved = await queries.MOVE_PAYMENT.one(tx, *held_by, said.state, *_named(said), now)
    assert moved is not None
    return moved


async def payments_of(
    tx: Tx, facility_id: UUID, day: date, after: tuple[datetime, UUID, str], limit: int
) -> list[Payment]:
    """A page of what the facility's kiosks noted on a day in Vietnam, behind that one."""
    first, end = start_of_day(day), end_of_day(day)
    return await queries.PAYMENTS.all(tx, facility_id, first, end, *after, limit)


async def forget(tx: Tx, before: datetime, limit: int) -> int:
    """Remove what was noted before that time, at most `limit`."""
    return await queries.FORGET_PAYMENTS.one(tx, before, limit) or 0


async def _first(
    tx: Tx, station: Station, reference: str, said: PaymentSaid, now: datetime
) -> Payment | None:
    counter = station.counter
    return await queries.INSERT_PAYMENT.one(
        tx,
        counter.facility_id,
        reference,
        station.kiosk_id,
        counter.counter_id,
        said.state,
        *_named(said),
        now,
    )


def _named(said: PaymentSaid) -> tuple[date | None, int | None]:
    return (said.ticket.day, said.ticket.number) if said.ticket else (None, None)
