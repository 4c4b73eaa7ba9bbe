"""Recording that a person came: the one way of every means, so that all of them are told, logged and counted
alike (security.md S7)."""

import hashlib
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from audit.service import record_act
from kernel.access import Actor
from kernel.ids import bucket_of, uuid7, uuid8
from kernel.problems import Refused
from store.database import Tx
from store.due_queue import arm
from store.outbox import emit
from visits.check_ins import queries
from visits.check_ins.models import CheckInRow, Coming, Noted
from visits.check_ins.problems import CODE_SPENT
from visits.models import Means
from visits.queries import NOTE_ARRIVAL
from visits.tickets import service as tickets
from visits.tickets.models import Given

# As long as presence lasts (visits/presence.py): who never checked out is taken to have left.
OPEN_FOR: Final = timedelta(hours=12)
# The timer of an open visit; its ref is person and visit.
CLOSE_JOB: Final = "visit-close"
# Whom nobody of the facility and no rotating code saw here: no record is awaited of the facility.
SEEN: Final[frozenset[Means]] = frozenset({"citizen-qr", "staff-typed", "counter-qr"})
_ACTS: Final[dict[Means, str]] = {
    "citizen-qr": "visit:check-in:create",
    "staff-typed": "visit:arrival:create",
    "counter-qr": "visit:check-in:create",
    "poster": "visit:ticket:create",
    "late": "visit:ticket:create",
    "companion": "visit:ticket:create",
}


async def note(
    tx: Tx,
    actor: Actor,
    coming: Coming,
    *,
    check_in_id: UUID | None = None,
    told: UUID | None = None,
    recorded_by: UUID | None = None,
    recorded_at: datetime | None = None,
    stand_in: bool | None = None,
    request_id: str,
    now: datetime,
) -> Noted | Refused:
    """Keep a check-in, join or open the visit, take the number, and tell the person; a repeat changes nothing
    but gives its number again, and at another counter it is a check-in of its own. told: whose inbox and log,
    where it is not the person's own (S10).

    stand_in: patient_id stands for a number that nobody has, True for the first time that it is typed. The
    same statements run, and none of them keeps anything of a person (S19). Refused: code-spent for a code
    that was scanned at another facility.
    """
    new = CheckInRow(
        patient_id=coming.patient_id,
        check_in_id=check_in_id or uuid7(now),
        facility_id=coming.facility_id,
        means=coming.means,
        code_id=coming.code_id,
        recorded_by=recorded_by or actor.actor_id,
        recorded_at=recorded_at or now,
        unit_id=coming.unit_id,
        visit_id=None,
        counter_id=coming.at.counter.counter_id if coming.at is not None else None,
        ticket_day=None,
        ticket_number=None,
    )
    kept = await queries.insert(tx, new)
    is_new = kept or stand_in is True
    first = new if is_new else await queries.BY_CODE.one(tx, new.patient_id, new.code_id)
    row = new if first is None and stand_in is not None else first
    if row is None or row.facility_id != coming.facility_id:
        return Refused(problem=CODE_SPENT, where="qr")
    if check_in_id is None and _is_another(coming, row):
        return await note(tx, actor, _apart(coming, row), told=told, request_id=request_id, now=now)
    if check_in_id is None and _is_over(row):
        return Noted(row=row, ticket=None, is_new=False)
    if is_new:
        row = await _joined(tx, row)
        if row.means == "citizen-qr":
            await NOTE_ARRIVAL.one(tx, row.facility_id, row.check_in_id, row.recorded_at)
        await _tell(tx, told or row.patient_id, actor, row, request_id, now, is_somebody=kept)
    return await _numbered(tx, coming, row, is_new=is_new, now=now)


async def again(tx: Tx, coming: Coming, row: CheckInRow, now: datetime) -> Noted:
    """A repeat of a check-in that stands at the same counter: its number again, whatever became of the others
    of the person (security.md S23), or a new one where that has lapsed."""
    if coming.at is not None and row.ticket_day is not None and row.ticket_number is not None:
        ticket = await tickets.still(tx, coming.at.counter, row.ticket_day, row.ticket_number, now)
        if ticket is not None:
            return Noted(row=row, ticket=ticket, is_new=False)
    return await _numbered(tx, coming, row, is_new=False, now=now)


async def hold(tx: Tx, row: CheckInRow, given: Given) -> None:
    """A check-in that is kept now for an arrival whose number was given before."""
    await queries.SETTLE.run(
        tx, row.patient_id, row.check_in_id, row.visit_id, given.counter_id, given.day, given.number
    )


def _is_another(coming: Coming, row: CheckInRow) -> bool:
    """Whether what was scanned before is another check-in now: the person's code shown again after leaving,
    or at another counter. What was scanned without a counter takes its number at the same unit."""
    if coming.means == "citizen-qr" and _is_over(row):
        return True
    if coming.at is None or row.counter_id == coming.at.counter.counter_id:
        return False
    return row.counter_id is not None or row.unit_id != coming.unit_id


def _is_over(row: CheckInRow) -> bool:
    return row.left_at is not None or row.withdrawn_at is not None


def _apart(coming: Coming, row: CheckInRow) -> Coming:
    """The same under a code that every repeat at that counter, after that check-in, has as well."""
    of = row.check_in_id.bytes if _is_over(row) else b""
    at = coming.at.counter.counter_id.bytes if coming.at is not None else b""
    return replace(coming, code_id=uuid8(hashlib.sha256(coming.code_id.bytes + of + b"apart" + at).digest()))


async def _joined(tx: Tx, row: CheckInRow) -> CheckInRow:
    """The same within its visit. A companion's number opens none: the person need not be here."""
    if row.means == "companion":
        return row
    visit = await queries.OPEN_VISIT.one(
        tx, row.patient_id, row.check_in_id, row.facility_id, row.recorded_at
    )
    visit_id = row.check_in_id if visit is None else visit.visit_id
    if visit_id == row.check_in_id:
        ref = f"{row.patient_id}:{visit_id}"
        await arm(tx, bucket_of(row.patient_id), row.recorded_at + OPEN_FOR, CLOSE_JOB, ref)
    return replace(row, visit_id=visit_id)


async def _tell(
    tx: Tx, told: UUID, actor: Actor, row: CheckInRow, request_id: str, now: datetime, *, is_somebody: bool
) -> None:
    behalf = row.patient_id if row.means == "companion" else None
    await record_act(tx, told, actor, _ACTS[row.means], request_id=request_id, now=now, on_behalf_of=behalf)
    event = "visit.checked-in" if row.means in SEEN else "visit.number-taken"
    event = event if is_somebody else "visit.typed-unknown"
    await emit(tx, told, event, {"check_in_id": str(row.check_in_id)}, now)


async def _numbered(tx: Tx, coming: Coming, row: CheckInRow, *, is_new: bool, now: datetime) -> Noted:
    """The number last: its counter's day is held until the transaction commits."""
    ticket = None
    if coming.at is not None:
        ticket = await tickets.take(tx, coming.at.counter, coming.at.subjects, now, row.check_in_id)
        row = replace(row, counter_id=ticket.counter_id, ticket_day=ticket.day, ticket_number=ticket.number)
    if is_new or ticket is not None:
        number = row.counter_id, row.ticket_day, row.ticket_number
        await queries.SETTLE.run(tx, row.patient_id, row.check_in_id, row.visit_id, *number)
    return Noted(row=row, ticket=ticket, is_new=is_new)
