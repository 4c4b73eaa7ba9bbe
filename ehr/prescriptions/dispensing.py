"""What a pharmacist does with a code: open its lines, hand out, take a mistake back the same day.

All of it happens under the lock of the book's head, so two pharmacies stand in a row; the line's own
condition is the second wall.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct

from ehr.prescriptions import queries
from ehr.prescriptions.keeping import find_code
from ehr.prescriptions.models import AtCounter, CodeRow, CounterLine, DispenseReceipt
from ehr.prescriptions.policy import dispensed_state, mark_of, standing, typed
from ehr.prescriptions.problems import (
    DISPENSE_INVALID,
    DISPENSE_NOT_FOUND,
    DISPENSE_NOT_TODAY,
    DISPENSE_TOO_MUCH,
    PRESCRIPTION_LAPSED,
    PRESCRIPTION_NOT_FOUND,
    PRESCRIPTION_REPLACED,
    PRESCRIPTION_WITHDRAWN,
)
from ehr.prescriptions.reading import Seen, SeenLine, plain, see
from ehr.queries import LOCK_EXISTING_HEAD, RAISE_HEAD
from identity import budgets
from kernel.access import Access, Actor
from kernel.clock import local_day
from kernel.ids import uuid7
from kernel.problems import Refused, refuse
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit

LINES_MAX: Final = 100


class LineOut(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """quantity: a decimal text in the line's unit, at most three places."""

    line: Annotated[int, Meta(ge=1, le=LINES_MAX)]
    quantity: Annotated[str, Meta(pattern=r"^[0-9]{1,7}([.,][0-9]{1,3})?$(?!\n)")]

    @property
    def amount(self) -> Decimal:
        return Decimal(self.quantity.replace(",", "."))


async def find(tx: Tx, keys: KeyRing, actor: Actor, text: str, now: datetime) -> CodeRow | Refused:
    """The prescription of a code. Refused: prescription-not-found, alike for what cannot be a code, what
    nobody has and what waits for its person (security.md S19); too-many. Whoever sees lines is paid back."""
    who = budgets.subject(actor.actor_id.bytes)
    spent = await budgets.charge_or_refuse(tx, budgets.WRONG_PRESCRIPTION_CODES, who, now)
    if spent is not None:
        return spent
    code = typed(text)
    found = await find_code(tx, keys, code or "")
    if code is None or found is None or found.patient_id is None:
        return Refused(problem=PRESCRIPTION_NOT_FOUND)
    return found


async def look_up(tx: Tx, access: Access, prescription_id: UUID, now: datetime) -> Seen | Refused:
    """The lines that can still be handed out. Refused: not found (also where all of it is hidden), lapsed,
    replaced, withdrawn."""
    seen = await see(tx, access, prescription_id, now)
    if seen is None:
        return Refused(problem=PRESCRIPTION_NOT_FOUND)
    await budgets.refund(tx, budgets.WRONG_PRESCRIPTION_CODES, budgets.subject(access.actor.actor_id.bytes))
    return _ended(seen, local_day(now)) or seen


def _ended(seen: Seen, today: date) -> Refused | None:
    if seen.row.state == "replaced":
        return Refused(problem=PRESCRIPTION_REPLACED)
    if seen.row.state == "withdrawn":
        return Refused(problem=PRESCRIPTION_WITHDRAWN)
    return Refused(problem=PRESCRIPTION_LAPSED) if today > seen.row.collect_by else None


async def dispense(
    tx: Tx, access: Access, prescription_id: UUID, lines: list[LineOut], now: datetime
) -> DispenseReceipt | Refused:
    """Hand out some of some lines, today, at the pharmacist's facility: all of it or nothing."""
    await _lock(tx, access)
    seen = await look_up(tx, access, prescription_id, now)
    if isinstance(seen, Refused):
        return seen
    wrong = _check(seen, lines)
    if wrong is not None:
        return wrong
    dispense_id, today, row = uuid7(now), local_day(now), seen.row
    for out in lines:
        taken = await queries.TAKE_FROM_LINE.one(tx, row.patient_id, prescription_id, out.line, out.amount)
        if taken is None:
            refuse(DISPENSE_TOO_MUCH)
        await queries.INSERT_DISPENSE.run(
            tx,
            *(row.patient_id, prescription_id, dispense_id, out.line, out.amount, today),
            *(access.actor.facility_id, access.actor.actor_id, now),
        )
    return await _receipt(tx, access, prescription_id, dispense_id, today, now, taken_back=False)


def _check(seen: Seen, lines: list[LineOut]) -> Refused | None:
    left = {one.line.line: one.left for one in seen.lines}
    if not lines or len({out.line for out in lines}) != len(lines):
        return Refused(problem=DISPENSE_INVALID, where="lines")
    for number, out in enumerate(lines):
        if out.line not in left:
            return Refused(problem=DISPENSE_INVALID, where=f"lines[{number}].line")
        if out.amount <= 0:
            return Refused(problem=DISPENSE_INVALID, where=f"lines[{number}].quantity")
        if out.amount > left[out.line]:
            return Refused(problem=DISPENSE_TOO_MUCH, where=f"lines[{number}].quantity")
    return None


async def take_back(
    tx: Tx, access: Access, prescription_id: UUID, dispense_id: UUID, now: datetime
) -> DispenseReceipt | Refused:
    """Undo a mistake: the same facility, the same day. It holds after a replacement too: what was never
    handed out must not stand as history."""
    await _lock(tx, access)
    seen = await see(tx, access, prescription_id, now)
    if seen is None:
        return Refused(problem=PRESCRIPTION_NOT_FOUND)
    await budgets.refund(tx, budgets.WRONG_PRESCRIPTION_CODES, budgets.subject(access.actor.actor_id.bytes))
    found = await queries.DISPENSE.all(tx, seen.row.patient_id, prescription_id, dispense_id)
    if not found or found[0].facility_id != access.actor.facility_id:
        return Refused(problem=DISPENSE_NOT_FOUND)
    today = local_day(now)
    if found[0].dispensed_on != today:
        return Refused(problem=DISPENSE_NOT_TODAY)
    await queries.TAKE_BACK.run(tx, seen.row.patient_id, prescription_id, dispense_id, now)
    for one in found:
        await queries.GIVE_BACK_TO_LINE.run(tx, seen.row.patient_id, prescription_id, one.line, one.quantity)
    return await _receipt(tx, access, prescription_id, dispense_id, today, now, taken_back=True)


async def dispensed_again(
    tx: Tx, access: Access, prescription_id: UUID, dispense_id: UUID, now: datetime
) -> DispenseReceipt | Refused:
    """The receipt of a dispense of this facility, for a repeat of its request: what happened stays so when
    the prescription lapsed or was replaced since."""
    seen = await see(tx, access, prescription_id, now)
    if seen is None:
        return Refused(problem=PRESCRIPTION_NOT_FOUND)
    await budgets.refund(tx, budgets.WRONG_PRESCRIPTION_CODES, budgets.subject(access.actor.actor_id.bytes))
    found = await queries.DISPENSE.all(tx, seen.row.patient_id, prescription_id, dispense_id)
    if not found or found[0].facility_id != access.actor.facility_id:
        return Refused(problem=DISPENSE_NOT_FOUND)
    return DispenseReceipt(
        dispense_id=dispense_id,
        dispensed_on=found[0].dispensed_on,
        taken_back=found[0].is_taken_back,
        prescription=at_counter(seen, local_day(now)),
    )


async def was_taken_back(
    tx: Tx, access: Access, prescription_id: UUID, dispense_id: UUID, now: datetime
) -> bool:
    """Whether this is a dispense of this facility that was taken back before."""
    await _lock(tx, access)
    seen = await see(tx, access, prescription_id, now)
    if seen is None:
        return False
    found = await queries.DISPENSE.all(tx, seen.row.patient_id, prescription_id, dispense_id)
    return any(one.is_taken_back and one.facility_id == access.actor.facility_id for one in found)


def at_counter(seen: Seen, today: date) -> AtCounter:
    """What leaves to the counter: no name, no diagnosis, no other medicine."""
    lines = [_counter_line(one) for one in seen.lines]
    row = seen.row
    return AtCounter(
        kind=row.kind,
        issued_at=row.issued_at,
        collect_by=row.collect_by,
        state=standing(row.state, row.collect_by, [line.state for line in lines], today),
        lines=lines,
    )


def _counter_line(one: SeenLine) -> CounterLine:
    return CounterLine(
        line=one.line.line,
        title=one.item.title,
        dosage=one.item.dosage,
        unit=one.line.unit,
        ordered=plain(one.line.ordered),
        dispensed=plain(one.line.dispensed),
        left=plain(one.left),
        state=dispensed_state(one.line.ordered, one.line.dispensed),
    )


async def _lock(tx: Tx, access: Access) -> int:
    """The book's head: it is there, for somebody wrote the prescription into it."""
    return await LOCK_EXISTING_HEAD.one(tx, access.patient_id) or 0


async def _receipt(
    tx: Tx,
    access: Access,
    prescription_id: UUID,
    dispense_id: UUID,
    on: date,
    now: datetime,
    *,
    taken_back: bool,
) -> DispenseReceipt:
    """After a change: mark the lines among the medicines, tell who follows, and say how it stands."""
    seen = await see(tx, access, prescription_id, now)
    assert seen is not None
    head = await _lock(tx, access)
    numbers = list(range(head + 1, head + len(seen.lines) + 1))
    marks = [
        mark_of(
            dispensed_state(one.line.ordered, one.line.dispensed),
            max((handed.dispensed_on for handed in one.handed), default=None),
        )
        for one in seen.lines
    ]
    await queries.MARK_LINES.run(
        tx, access.patient_id, [one.medicine.id for one in seen.lines], marks, numbers
    )
    await RAISE_HEAD.run(tx, access.patient_id, head + len(numbers))
    ref = {"patient_id": str(access.patient_id), "prescription_id": str(prescription_id)}
    await emit(tx, access.patient_id, "ehr.prescription-dispensed", ref, now)
    return DispenseReceipt(
        dispense_id=dispense_id,
        dispensed_on=on,
        taken_back=taken_back,
        prescription=at_counter(seen, local_day(now)),
    )
