"""The one way a question moves: the act, its mirror, the row in the person's log, who is told.

The news goes to whoever asked while that one may ask, then to the person: what a child asks is not told to a
guardian (security.md S23). What the caller wrote has passed the gate: the api asks it, since it belongs to a
sibling.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from audit.service import record_act
from identity.merges.aliases import book_to_tell
from kernel.access import Actor
from kernel.ids import bucket_of
from kernel.problems import Refused
from store.database import Tx
from store.due_queue import disarm, schedule
from store.keys import KeyRing
from store.outbox import emit
from visits.consultations import queries
from visits.consultations.models import ConsultationAct, ConsultationRow
from visits.consultations.policy import GIVEN_UP_AFTER, JOB, WAITING, after
from visits.consultations.problems import CONSULTATION_STATE, CONSULTATION_UNKNOWN
from visits.consultations.texts import sealed

SERVICE: Final = Actor(kind="job", actor_id=UUID(int=0), name="consultation")


class Hand(Struct, frozen=True, kw_only=True):
    """Who moves a question, for whom, in which request."""

    actor: Actor
    on_behalf_of: UUID | None = None
    request_id: str
    now: datetime


async def move(
    tx: Tx,
    keys: KeyRing,
    row: ConsultationRow,
    act: ConsultationAct,
    hand: Hand,
    *,
    answer: str | None = None,
    by_person: bool = False,
) -> ConsultationRow | Refused:
    """Do one act on a locked question. Refused: consultation-state."""
    state = after(row.state, act)
    # Who accepted it answers it: the person was told who looks.
    if state is None or (act == "answer" and row.accepted_by != hand.actor.actor_id):
        return Refused(problem=CONSULTATION_STATE)
    moved = replace(row, state=state, overdue_at=row.overdue_at if state in WAITING else None)
    if act == "accept":
        moved = replace(moved, accepted_by=hand.actor.actor_id, accepted_at=hand.now)
    else:
        moved = replace(moved, share_code=None, share_code_until=None)
    if act == "answer" and answer is not None:
        moved = replace(moved, answer=sealed(keys, row.patient_id, "answer", answer), answered_at=hand.now)
    if state not in (*WAITING, "answered"):
        moved = replace(moved, ended_at=hand.now)
    await keep(tx, moved)
    await note(tx, moved, f"consultation:question:{act}", hand)
    if state not in WAITING:
        await disarm(tx, bucket_of(row.patient_id), JOB, timer_of(row))
    if not by_person:
        await tell(tx, moved, act, hand.now)
    return moved


async def tick(tx: Tx, keys: KeyRing, ref: str, now: datetime) -> datetime | None:
    """The term is over: the question stands as late and who asked is told once; long after, it ends."""
    patient_id, consultation_id = (UUID(part) for part in ref.split(":"))
    row = await queries.BY_ID.one(tx, patient_id, consultation_id)
    if row is None or row.state not in WAITING:
        return None
    hand = Hand(actor=SERVICE, request_id=str(consultation_id), now=now)
    given_up_at = row.answer_by + GIVEN_UP_AFTER
    if now >= given_up_at:
        await move(tx, keys, row, "expire", hand)
        return None
    if row.overdue_at is None and now >= row.answer_by:
        late = replace(row, overdue_at=now)
        await keep(tx, late)
        await tell(tx, late, "late", now)
    return given_up_at if now >= row.answer_by else row.answer_by


async def arm(tx: Tx, row: ConsultationRow) -> None:
    """The timer of a question that waits."""
    await schedule(tx, bucket_of(row.patient_id), row.answer_by, JOB, timer_of(row))


def timer_of(row: ConsultationRow) -> str:
    return f"{row.patient_id}:{row.consultation_id}"


async def find(tx: Tx, patient_id: UUID, consultation_id: UUID) -> ConsultationRow | Refused:
    """The question, locked."""
    row = await queries.BY_ID.one(tx, patient_id, consultation_id)
    return row if row is not None else Refused(problem=CONSULTATION_UNKNOWN)


async def keep(tx: Tx, row: ConsultationRow) -> None:
    """Write a question that moved, and its mirror."""
    await queries.UPDATE.run(
        tx,
        row.patient_id,
        row.consultation_id,
        row.state,
        row.answer,
        row.share_code,
        row.share_code_until,
        row.accepted_by,
        row.accepted_at,
        row.answered_at,
        row.ended_at,
        row.overdue_at,
    )
    await mirror(tx, row)


async def mirror(tx: Tx, row: ConsultationRow) -> None:
    await queries.MIRROR.run(
        tx,
        row.facility_id,
        row.consultation_id,
        row.patient_id,
        row.practitioner_id,
        row.state,
        row.asked_at,
        row.answer_by,
        row.overdue_at,
    )


async def note(tx: Tx, row: ConsultationRow, tag: str, hand: Hand) -> None:
    """The row of the person's log, by name; of a merged person in the log that is read (security.md S10)."""
    await record_act(
        tx,
        await book_to_tell(tx, row.patient_id, hand.now),
        hand.actor,
        tag,
        request_id=hand.request_id,
        now=hand.now,
        on_behalf_of=hand.on_behalf_of,
    )


async def tell(tx: Tx, row: ConsultationRow, what: str, now: datetime) -> None:
    """Emit the news to whoever asked; healthbook/dispatch.py looks whether that is still theirs."""
    ref = {
        "consultation_id": str(row.consultation_id),
        "step": f"{row.consultation_id}:{what}",
        "person_id": str(await book_to_tell(tx, row.patient_id, now)),
    }
    await emit(tx, await book_to_tell(tx, row.asked_by, now), "visit.consultation-moved", ref, now)
