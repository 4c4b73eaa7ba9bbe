"""The one way a case moves: the act, what it does to the record, its trail, its mirror and who is told.

Order of locks: the head of the record, then the case; writing a record takes them in the same order.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from audit.service import record_act
from ehr.cases import queries
from ehr.cases.books import Book, free_rows, lock_book, rows_of_case
from ehr.cases.models import Act, CaseRow, Side
from ehr.cases.policy import EVIDENCE_JOB, EVIDENCE_KEPT, after, late_from, may_reopen
from ehr.cases.problems import CASE_STATE, CASE_UNKNOWN
from ehr.cases.terms import deadlines
from ehr.cases.texts import seal_note
from ehr.store import mark_rows, retract_rows
from kernel.access import Actor
from kernel.ids import bucket_of
from kernel.problems import Refused
from store.database import Tx
from store.due_queue import schedule
from store.keys import KeyRing
from store.outbox import emit

SERVICE: Final = Actor(kind="job", actor_id=UUID(int=0))


class Hand(Struct, frozen=True, kw_only=True):
    """Who moves a case, from which side, in which request."""

    actor: Actor
    side: Side
    request_id: str
    now: datetime


async def move(
    tx: Tx,
    keys: KeyRing,
    patient_id: UUID,
    case_id: UUID,
    act: Act,
    hand: Hand,
    *,
    note: str | None = None,
    superseded_version: int | None = None,
) -> CaseRow | Refused:
    """Do one act on a case. Refused: case-unknown, case-state.

    superseded_version: the version of the entry that answers a correction.
    """
    book = await lock_book(tx, patient_id, hand.now)
    case = await queries.CASE_BY_ID.one(tx, patient_id, case_id)
    if case is None:
        return Refused(problem=CASE_UNKNOWN)
    state = after(case.kind, case.state, act)
    if state is None or (act == "reopen" and not may_reopen(case, hand.now)):
        return Refused(problem=CASE_STATE)
    version = superseded_version or case.superseded_version
    moved = await _moved(tx, replace(case, state=state, superseded_version=version), act, hand.now)
    await _effect(tx, book, case, moved, hand)
    await keep(tx, moved)
    await leave_trail(tx, keys, moved, act, hand, note)
    if hand.side != "person":
        await emit(tx, patient_id, "ehr.case-moved", {"case_id": str(case_id)}, hand.now)
    return moved


async def _moved(tx: Tx, case: CaseRow, act: Act, now: datetime) -> CaseRow:
    """The clocks of the case after the act. Sent again after a detachment, it starts anew."""
    if act == "resend":
        first, last = await deadlines(tx, case.kind, now)
        case = replace(case, acknowledge_by=first, answer_by=last, acknowledged_at=None, answered_at=None)
    if act in ("acknowledge", "refuse", "resolve") and case.acknowledged_at is None:
        case = replace(case, acknowledged_at=now)
    if act in ("refuse", "resolve"):
        case = replace(case, answered_at=now)
    overdue_at = late_from(case.state, case.acknowledge_by, case.answer_by)
    return replace(case, overdue_at=overdue_at, closed_at=now if overdue_at is None else None)


async def _effect(tx: Tx, book: Book, before: CaseRow, case: CaseRow, hand: Hand) -> None:
    """What the new state means for the rows of the record."""
    if case.state == "restored":
        await _restore(tx, book, case, hand.now)
    elif case.state == "detached":
        held = await rows_of_case(tx, case, book)
        rows = [(row.rtype, row.id) for row in held]
        await retract_rows(tx, book.patient_id, rows, str(hand.actor.actor_id), "detached", hand.now)
    elif case.kind == "correction" and case.rtype is not None:
        running = case.overdue_at is not None
        if running != (before.overdue_at is not None):
            await contest(tx, book, case, hand.now, shown=running)


async def _restore(tx: Tx, book: Book, case: CaseRow, now: datetime) -> None:
    """Rows come back as the facility sent them, save those that another dispute holds."""
    free = await free_rows(tx, case, book)
    await queries.DELETE_DISPUTE.run(tx, case.patient_id, case.case_id)
    if free:
        rows = [(row.rtype, row.id) for row in free]
        await mark_rows(tx, book.patient_id, rows, now, state="verified")


async def contest(tx: Tx, book: Book, case: CaseRow, now: datetime, *, shown: bool) -> None:
    """The note at the entry, for whoever reads it; another open correction of the same entry keeps it."""
    entry = case.rtype, case.item_id
    if shown or not await queries.OTHER_CORRECTION.one(tx, case.patient_id, case.case_id, *entry):
        rows = await queries.CONTEST.all(tx, book.patient_id, *entry, book.mark, shown)
        await mark_rows(tx, book.patient_id, [(row.rtype, row.id) for row in rows], now)


async def keep(tx: Tx, case: CaseRow) -> None:
    """Write the moved case and its mirror for the facility."""
    await queries.UPDATE_CASE.run(
        tx,
        case.patient_id,
        case.case_id,
        case.state,
        case.acknowledge_by,
        case.answer_by,
        case.acknowledged_at,
        case.answered_at,
        case.closed_at,
        case.overdue_at,
        case.superseded_version,
    )
    await mirror(tx, case)
    if case.closed_at is not None and await queries.EVIDENCE_OF.one(tx, case.patient_id, case.case_id):
        mark = f"{case.patient_id}:{case.case_id}"
        until = case.closed_at + EVIDENCE_KEPT
        await schedule(tx, bucket_of(case.patient_id), until, EVIDENCE_JOB, mark)


async def mirror(tx: Tx, case: CaseRow) -> None:
    if not case.facility_told:
        return
    await queries.UPSERT_FACILITY_CASE.run(
        tx,
        case.facility_id,
        case.case_id,
        case.patient_id,
        case.kind,
        case.state,
        case.opened_at,
        case.acknowledge_by,
        case.answer_by,
        case.overdue_at,
    )


async def leave_trail(
    tx: Tx, keys: KeyRing, case: CaseRow, act: Act, hand: Hand, note: str | None = None
) -> None:
    """The step of the case, and the row of the person's log by name."""
    await queries.INSERT_STEP.run(
        tx,
        case.patient_id,
        case.case_id,
        hand.now,
        act,
        case.state,
        hand.side,
        None if hand.side == "service" else hand.actor.actor_id,
        seal_note(keys, case.patient_id, note),
    )
    await leave_note(tx, case.patient_id, f"case:{case.kind}:{act}", hand, _resources(case))


async def leave_note(
    tx: Tx, patient_id: UUID, tag: str, hand: Hand, resources: list[tuple[str, str]] | None = None
) -> None:
    """The row of the person's log, by name."""
    await record_act(
        tx,
        patient_id,
        hand.actor,
        tag,
        resources=resources or [],
        request_id=hand.request_id,
        now=hand.now,
    )


def _resources(case: CaseRow) -> list[tuple[str, str]]:
    return [] if case.rtype is None or case.item_id is None else [(case.rtype, case.item_id)]
