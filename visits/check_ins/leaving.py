"""Leaving: by the person's phone at a counter's code, by the desk that scans the person's code, by itself
after twelve hours, or because the arrival was a mistake. Whoever left is not present any more (S7)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from audit.service import record_act
from identity.merges.aliases import origins_of, survivor_of
from kernel.access import Access, Actor
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from visits.check_ins import queries
from visits.check_ins.models import CheckInRow, EndedBy, VisitRow
from visits.check_ins.phone import counter_scanned
from visits.check_ins.problems import CHECK_IN_UNKNOWN, NOT_CHECKED_IN, OWN_PRESENCE
from visits.check_ins.recording import OPEN_FOR
from visits.identification import read_code
from visits.problems import NOT_AT_A_FACILITY
from visits.safety.models import Item
from visits.safety.service import people_of, withheld
from visits.tickets import service as tickets

_ACT: Final = "visit:check-out:create"
# A companion gave back the number that they took.
_LEFT: Final = "visit:ticket:leave"


async def check_out_by_phone(
    tx: Tx, keys: KeyRing, access: Access, qr: str, *, request_id: str, now: datetime
) -> VisitRow | Refused:
    """The person scans any counter's code of the facility on the way out. Refused: own-presence for somebody
    who acts for the person, not-checked-in also where the person is checked in elsewhere, qr-…"""
    if not access.is_own:
        return Refused(problem=OWN_PRESENCE)
    found = await counter_scanned(tx, keys, qr, now)
    if isinstance(found, Refused):
        return found
    ended = await _end_all(tx, people_of(access), found[1].facility_id, "person", now)
    if ended is None:
        return Refused(problem=NOT_CHECKED_IN, where="qr")
    await record_act(tx, access.patient_id, access.actor, _ACT, request_id=request_id, now=now)
    return ended


async def check_out_by_scan(
    tx: Tx, keys: KeyRing, actor: Actor, qr: str, *, request_id: str, now: datetime
) -> VisitRow | Refused:
    """The desk scans the person's rotating code on the way out. Refused: not-checked-in, qr-…"""
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    identified = read_code(keys, qr, now)
    if isinstance(identified, Refused):
        return identified
    survivor = await survivor_of(tx, identified.patient_id)
    people = {identified.patient_id, survivor, *await origins_of(tx, survivor)}
    ended = await _end_all(tx, people, actor.facility_id, "desk", now)
    if ended is None:
        return Refused(problem=NOT_CHECKED_IN, where="qr")
    await record_act(tx, identified.patient_id, actor, _ACT, request_id=request_id, now=now)
    return ended


async def leave(
    tx: Tx, access: Access, check_in_id: UUID, *, request_id: str, now: datetime
) -> Refused | None:
    """Leave without a code: the person ends the visit of a check-in, a companion gives back the number that
    they took themselves. It stays in line for as long as the person or another companion has it. Again
    changes nothing. Refused: check-in-unknown, own-presence."""
    row = await _own_row(tx, access, check_in_id)
    if row is None:
        return Refused(problem=CHECK_IN_UNKNOWN)
    if row.means == "companion":
        await queries.LEAVE_ONE.run(tx, row.patient_id, row.check_in_id, now)
        await _leave_rows(tx, [row], now, unless_held=True)
        if row.left_at is None:
            await record_act(tx, access.patient_id, access.actor, _LEFT, request_id=request_id, now=now)
        return None
    if not access.is_own:
        return Refused(problem=OWN_PRESENCE)
    visit = None if row.visit_id is None else await queries.VISIT_BY_ID.one(tx, row.patient_id, row.visit_id)
    if visit is not None and visit.ended_at is None:
        await _end(tx, row.patient_id, row.facility_id, "person", now)
        await record_act(tx, access.patient_id, access.actor, _ACT, request_id=request_id, now=now)
    return None


async def take_back(tx: Tx, patient_id: UUID, check_in_id: UUID, facility_id: UUID, now: datetime) -> None:
    """An arrival was a mistake: a number that was first given for it leaves the line, unless the person has
    it by a scan, and a visit of nothing else ends. The same statements whoever has the number, and what staff
    typed besides keeps none in the line: it would tell whether anybody has it (security.md S19)."""
    for given in await tickets.given_for(tx, facility_id, check_in_id):
        number = facility_id, given.counter_id, given.day, given.number
        if False not in await queries.HOLDERS.all(tx, patient_id, *number, check_in_id):
            await tickets.leave(tx, *number, now)
    await queries.END_EMPTY.run(tx, patient_id, facility_id, now)


async def close_due(tx: Tx, ref: str, now: datetime) -> datetime | None:
    """The timer of a visit: twelve hours after the last check-in it ends by itself. Returns when to look
    again; None: never."""
    patient_id, visit_id = (UUID(part) for part in ref.split(":"))
    visit = await queries.VISIT_BY_ID.one(tx, patient_id, visit_id)
    if visit is None or visit.ended_at is not None:
        return None
    if visit.last_at + OPEN_FOR > now:
        return visit.last_at + OPEN_FOR
    await queries.END_VISIT.one(tx, patient_id, visit.facility_id, visit.last_at + OPEN_FOR, "automatic")
    return None


async def housekeeping(tx: Tx, before: datetime, limit: int) -> int:
    """Remove check-ins and visits from before that time, at most `limit` of each, with their flags. Returns
    the larger number: who removes a full batch comes again."""
    gone = await queries.DELETE_CHECK_INS.one(tx, before, limit) or 0
    return max(gone, await queries.DELETE_VISITS.one(tx, before, limit) or 0)


async def _end_all(
    tx: Tx, people: Iterable[UUID], facility_id: UUID, by: EndedBy, now: datetime
) -> VisitRow | None:
    """The open visits here of one person under every id that the person has since a merge; the longest."""
    ended = [await _end(tx, one, facility_id, by, now) for one in sorted(people)]
    return min((one for one in ended if one is not None), key=lambda one: one.began_at, default=None)


async def _end(tx: Tx, patient_id: UUID, facility_id: UUID, by: EndedBy, now: datetime) -> VisitRow | None:
    """The open visit here, ended: its check-ins are no presence any more and its numbers leave the line. One
    that a companion has as well stays where the visit is kept from the family: it would tell (S23)."""
    ended = await queries.END_VISIT.one(tx, patient_id, facility_id, now, by)
    if ended is not None:
        rows = await queries.LEAVE_VISIT.all(tx, patient_id, ended.visit_id, now)
        items = [Item(row.check_in_id, row.unit_id, row.facility_id) for row in rows]
        is_kept = await withheld(tx, patient_id, items)
        await _leave_rows(tx, rows, now, unless_held=bool(is_kept))
    return ended


async def _leave_rows(tx: Tx, rows: list[CheckInRow], now: datetime, *, unless_held: bool) -> None:
    """The numbers of these, which have left; unless_held: but not one that another check-in has as well."""
    taken = {
        (row.facility_id, row.counter_id, row.ticket_day, row.ticket_number): row
        for row in rows
        if row.counter_id is not None and row.ticket_day is not None and row.ticket_number is not None
    }
    for number, row in sorted(taken.items(), key=lambda one: one[0]):
        if unless_held and await queries.HOLDERS.all(tx, row.patient_id, *number, row.check_in_id):
            continue
        await tickets.leave(tx, *number, now)


async def _own_row(tx: Tx, access: Access, check_in_id: UUID) -> CheckInRow | None:
    """A check-in that whoever acts may touch: the person's any, another's only the one they made."""
    for patient_id in (access.patient_id, *sorted(access.origins)):
        row = await queries.BY_ID.one(tx, patient_id, check_in_id)
        if row is not None and (access.is_own or row.recorded_by == access.actor.actor_id):
            return row
    return None
