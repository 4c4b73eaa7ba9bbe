"""Check-ins as the person reads them, and how much of them somebody sees who acts for the person (S23)."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from identity.register.facilities import facility_by_id
from kernel.access import Access
from store.database import Tx
from store.keys import KeyRing
from visits.check_ins import queries
from visits.check_ins.models import (
    CheckInShown,
    CheckInView,
    ListedCheckIn,
    TicketShown,
    VisitShown,
)
from visits.safety.models import Item
from visits.safety.service import withheld
from visits.tickets.codes import ticket_code
from visits.tickets.models import QueueTicket, TicketState
from visits.tickets.service import state_of

# As long as they are kept (security.md S30).
KEPT: Final = timedelta(days=30)
_STEP: Final = 100


async def check_ins_of(
    tx: Tx, access: Access, before: tuple[datetime, UUID], limit: int, now: datetime
) -> list[ListedCheckIn]:
    """A page of the last 30 days, newest first, behind that one. The person sees all; a guardian what is not
    kept from the family; a proxy the numbers they took themselves, likewise."""
    found: list[ListedCheckIn] = []
    for patient_id in (access.patient_id, *sorted(access.origins)):
        found += await _seen_of(tx, access, patient_id, before, limit, now - KEPT)
    return sorted(found, key=lambda one: (one.recorded_at, one.check_in_id), reverse=True)[:limit]


async def one_of(tx: Tx, patient_id: UUID, check_in_id: UUID) -> ListedCheckIn | None:
    """One check-in with its visit."""
    return await queries.LISTED_ONE.one(tx, patient_id, check_in_id)


async def shown(tx: Tx, keys: KeyRing, row: ListedCheckIn, now: datetime) -> CheckInShown:
    """One of them, with how far its number is."""
    facility = await facility_by_id(tx, row.facility_id)
    assert facility is not None, "a facility of the register"
    return CheckInShown(
        check_in_id=row.check_in_id,
        facility_id=row.facility_id,
        facility_name=facility.name,
        recorded_at=row.recorded_at,
        how=_how(row),
        ticket=await _ticket(tx, keys, row, now),
        visit=_visit(row),
    )


async def _seen_of(
    tx: Tx, access: Access, patient_id: UUID, before: tuple[datetime, UUID], limit: int, since: datetime
) -> list[ListedCheckIn]:
    """Rows are left out before they are counted: a page that is short for another reason would tell."""
    found: list[ListedCheckIn] = []
    while len(found) < limit:
        rows = await queries.LISTED.all(tx, patient_id, since, *before, _STEP)
        found += await _unhidden(tx, access, patient_id, rows)
        if len(rows) < _STEP:
            break
        before = rows[-1].recorded_at, rows[-1].check_in_id
    return found[:limit]


async def _unhidden(
    tx: Tx, access: Access, patient_id: UUID, rows: list[ListedCheckIn]
) -> list[ListedCheckIn]:
    if access.is_own:
        return rows
    if access.basis != "guardian":
        rows = [one for one in rows if one.recorded_by == access.actor.actor_id]
    items = [Item(one.check_in_id, one.unit_id, one.facility_id) for one in rows]
    hidden = await withheld(tx, patient_id, items)
    return [one for one in rows if one.check_in_id not in hidden]


def _how(row: ListedCheckIn) -> CheckInView:
    if row.means in ("citizen-qr", "counter-qr"):
        return "presence"
    if row.means == "companion":
        return "companion"
    return "typed" if row.means == "staff-typed" else "number"


def _visit(row: ListedCheckIn) -> VisitShown | None:
    if row.visit_id is None or row.began_at is None:
        return None
    by_somebody = row.ended_at is not None and row.ended_by in ("person", "desk")
    length = row.ended_at - row.began_at if by_somebody and row.ended_at is not None else None
    return VisitShown(
        visit_id=row.visit_id,
        began_at=row.began_at,
        ended_at=row.ended_at,
        minutes=None if length is None else int(length.total_seconds() // 60),
    )


async def _ticket(tx: Tx, keys: KeyRing, row: ListedCheckIn, now: datetime) -> TicketShown | None:
    if row.counter_id is None or row.ticket_day is None or row.ticket_number is None:
        return None
    state = await state_of(tx, row.facility_id, row.counter_id, row.ticket_day, row.ticket_number)
    if state is None:
        return None
    ticket = QueueTicket(
        row.counter_id, state.counter_code, row.ticket_day, row.ticket_number, state.valid_until
    )
    return ticket_shown(keys, row.facility_id, ticket, state, now, has_left=row.left_at is not None)


def ticket_shown(
    keys: KeyRing,
    facility_id: UUID,
    ticket: QueueTicket,
    state: TicketState | None,
    now: datetime,
    *,
    has_left: bool = False,
) -> TicketShown:
    """A number as its holder sees it. state None: it was taken just now. has_left: this holder gave it back,
    whoever has it besides."""
    qr = ticket_code(keys, facility_id, ticket, now)
    is_over = qr is None or has_left or (state is not None and state.left_at is not None)
    waits = not is_over and (state is None or state.called_at is None)
    return TicketShown(
        counter_code=ticket.counter_code,
        day=ticket.day,
        number=ticket.number,
        valid_until=ticket.valid_until,
        state="over" if is_over else "waiting" if waits else "called",
        ahead=state.ahead if state is not None and waits else None,
        qr=None if is_over else qr,
    )
