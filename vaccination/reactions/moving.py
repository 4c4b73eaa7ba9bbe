"""The one way a report moves: the act, its mirror, its clock, the row in the person's log, who is told.

News go to whoever reported while that one may act for the person, then to the person. Ids, never words.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from audit.service import record_act
from identity.merges.aliases import book_to_tell
from kernel.access import Access, Actor
from kernel.ids import bucket_of, uuid7
from kernel.problems import Refused
from store.database import Tx
from store.due_queue import disarm, schedule
from store.keys import KeyRing
from store.outbox import emit
from vaccination.reactions import queries
from vaccination.reactions.models import Ending, ReactionAct, ReactionRow, StepBody, StepKind
from vaccination.reactions.policy import JOB, RUNNING, STEPS_MAX, after, due_at, may_not_end
from vaccination.reactions.problems import REACTION_STATE, REACTION_UNKNOWN, REACTION_UNTOLD
from vaccination.reactions.texts import sealed_step


class Hand(Struct, frozen=True, kw_only=True):
    """Who moves a report, for whom, in which request."""

    actor: Actor
    on_behalf_of: UUID | None = None
    request_id: str
    now: datetime


def hand_of(access: Access, request_id: str, now: datetime) -> Hand:
    return Hand(actor=access.actor, on_behalf_of=access.on_behalf_of, request_id=request_id, now=now)


async def move(
    tx: Tx, row: ReactionRow, act: ReactionAct, hand: Hand, ending: Ending | None = None
) -> ReactionRow | Refused:
    """Do one act on a locked report. Refused: reaction-state, reaction-untold."""
    state = after(row.state, act)
    if state is None or (act == "tell-authority" and row.authority_told_at is not None):
        return Refused(problem=REACTION_STATE)
    if ending is not None and may_not_end(row, ending):
        await _find_severe(tx, row, hand.now)
        return Refused(problem=REACTION_UNTOLD)
    moved = replace(row, state=state)
    if state == "acknowledged" and row.acknowledged_at is None:
        moved = replace(moved, acknowledged_at=hand.now)
    if act == "tell-authority":
        moved = replace(moved, authority_told_at=hand.now)
    if ending is not None:
        moved = replace(moved, outcome=ending.outcome, assessed=ending.assessed)
    if state not in RUNNING:
        moved = replace(moved, ended_at=hand.now)
    await keep(tx, moved)
    await note(tx, moved, f"vaccination:reaction:{act}", hand)
    await set_clock(tx, moved)
    if act not in ("add", "withdraw"):
        await tell(tx, moved, f"{act}:{uuid7(hand.now)}", hand.now)
    return moved


async def _find_severe(tx: Tx, row: ReactionRow, now: datetime) -> None:
    """What nobody reported as severe and the facility finds so has its 24 hours from then."""
    if row.severity != "severe":
        graver = replace(row, severity="severe", due_at=due_at("severe", row.facility_id, now))
        await keep(tx, graver)
        await set_clock(tx, graver)


async def tick(tx: Tx, _keys: KeyRing, ref: str, now: datetime) -> datetime | None:
    """The 24 hours of a severe report are over: it stands as late, and who reported is told once."""
    patient_id, reaction_id = (UUID(part) for part in ref.split(":"))
    row = await queries.BY_ID.one(tx, patient_id, reaction_id)
    if row is None or not _is_ticking(row) or row.due_at is None:
        return None
    if now < row.due_at:
        return row.due_at
    late = replace(row, overdue_at=now)
    await keep(tx, late)
    await tell(tx, late, f"late:{row.reaction_id}", now)
    return None


async def set_clock(tx: Tx, row: ReactionRow) -> None:
    """Run the clock of a severe report of which nobody told the health department; stop every other."""
    if _is_ticking(row) and row.due_at is not None:
        await schedule(tx, bucket_of(row.patient_id), row.due_at, JOB, timer_of(row))
    else:
        await disarm(tx, bucket_of(row.patient_id), JOB, timer_of(row))


def _is_ticking(row: ReactionRow) -> bool:
    return row.state in RUNNING and row.authority_told_at is None and row.overdue_at is None


def timer_of(row: ReactionRow) -> str:
    return f"{row.patient_id}:{row.reaction_id}"


async def find(tx: Tx, patient_id: UUID, reaction_id: UUID) -> ReactionRow | Refused:
    """The report, locked."""
    row = await queries.BY_ID.one(tx, patient_id, reaction_id)
    return row if row is not None else Refused(problem=REACTION_UNKNOWN)


async def add_step(
    tx: Tx, keys: KeyRing, row: ReactionRow, kind: StepKind, body: StepBody, hand: Hand
) -> Refused | None:
    """Lay new signs or words beside a locked report. Refused: reaction-state, where it is full."""
    if len(await queries.STEPS.all(tx, row.patient_id, row.reaction_id)) >= STEPS_MAX:
        return Refused(problem=REACTION_STATE)
    await queries.INSERT_STEP.run(
        tx,
        row.patient_id,
        row.reaction_id,
        uuid7(hand.now),
        kind,
        hand.actor.actor_id,
        sealed_step(keys, row.patient_id, body),
        hand.now,
    )
    return None


async def keep(tx: Tx, row: ReactionRow) -> None:
    """Write a report that moved, and its mirror."""
    await queries.UPDATE.run(
        tx,
        row.patient_id,
        row.reaction_id,
        row.severity,
        row.state,
        row.due_at,
        row.overdue_at,
        row.acknowledged_at,
        row.authority_told_at,
        row.outcome,
        row.assessed,
        row.ended_at,
    )
    await mirror(tx, row)


async def mirror(tx: Tx, row: ReactionRow) -> None:
    """What the facility's list shows; none where no facility is known."""
    if row.facility_id is None:
        return
    await queries.MIRROR.run(
        tx,
        row.facility_id,
        row.reaction_id,
        row.patient_id,
        row.severity,
        1 if row.severity == "severe" else 0,
        row.state,
        row.reported_at,
        row.due_at,
        row.overdue_at,
        row.authority_told_at,
    )


async def note(tx: Tx, row: ReactionRow, tag: str, hand: Hand) -> None:
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


async def tell(tx: Tx, row: ReactionRow, step: str, now: datetime) -> None:
    """Emit the news to whoever reported, once per step; healthbook/dispatch.py looks whether that is still
    theirs."""
    ref = {
        "reaction_id": str(row.reaction_id),
        "step": step,
        "person_id": str(await book_to_tell(tx, row.patient_id, now)),
    }
    await emit(tx, await book_to_tell(tx, row.reported_by, now), "vaccination.reaction-moved", ref, now)


async def alert(tx: Tx, row: ReactionRow, now: datetime) -> None:
    """A severe report: the advice rings on the reporter's phones too, in case the answer was lost. The
    facility's list shows it first."""
    ref = {"reaction_id": str(row.reaction_id), "step": f"severe:{row.reaction_id}"}
    ref["person_id"] = str(await book_to_tell(tx, row.patient_id, now))
    await emit(tx, await book_to_tell(tx, row.reported_by, now), "vaccination.reaction-severe", ref, now)
