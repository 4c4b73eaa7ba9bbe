"""The facility's side: its list with severe reports first, open one, acknowledge, note what was done and that
the health department was told, and close with the outcome.

Opening a report is reading what a person wrote: each time stands in the person's log, by name. No grant comes
with it, and nothing of the record opens.
"""

from datetime import UTC, datetime
from uuid import UUID

from ehr.intake.plain import is_stopped
from identity.merges.aliases import survivor_of
from identity.people import person_card
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from vaccination.reactions import queries
from vaccination.reactions.models import (
    Ending,
    FacilityReaction,
    FacilityReactionLine,
    FacilityRow,
    LateReaction,
    ReactionAct,
    ReactionRow,
    StepBody,
)
from vaccination.reactions.moving import Hand, add_step, find, move, note
from vaccination.reactions.problems import REACTION_UNKNOWN, REACTION_WITHHELD
from vaccination.reactions.texts import content_of
from vaccination.reactions.views import steps_of
from visits.problems import NOT_AT_A_FACILITY


async def waiting(
    tx: Tx, actor: Actor, before: tuple[int, UUID], limit: int, *, running: bool
) -> list[FacilityRow] | Refused:
    """Severe ones first, then the newest. before: urgency and id of the last one shown."""
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    return await queries.OF_FACILITY.all(tx, actor.facility_id, running, *before, limit)


async def late(tx: Tx, after: tuple[datetime, UUID] | None, limit: int) -> list[LateReaction]:
    """Severe reports of all facilities that the health department did not hear of in time, oldest first."""
    start = after or (datetime.min.replace(tzinfo=UTC), UUID(int=0))
    return await queries.LATE.all(tx, *start, limit)


async def of_facility(tx: Tx, actor: Actor, reaction_id: UUID) -> ReactionRow | Refused:
    """A report about a dose of this facility, locked. Refused: not-at-a-facility, reaction-unknown."""
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    patient_id = await queries.PATIENT_OF.one(tx, actor.facility_id, reaction_id)
    row = None if patient_id is None else await find(tx, patient_id, reaction_id)
    # What was taken back is nobody's to read again.
    if not isinstance(row, ReactionRow) or row.state == "withdrawn":
        return Refused(problem=REACTION_UNKNOWN)
    return row


async def open_report(tx: Tx, keys: KeyRing, reaction_id: UUID, hand: Hand) -> FacilityReaction | Refused:
    """Read a report; the person finds who in the log."""
    row = await of_facility(tx, hand.actor, reaction_id)
    if isinstance(row, Refused):
        return row
    await note(tx, row, "vaccination:reaction:read", hand)
    return await view_of(tx, keys, row)


async def staff_move(
    tx: Tx, reaction_id: UUID, act: ReactionAct, hand: Hand, ending: Ending | None = None
) -> FacilityReactionLine | Refused:
    """Acknowledge, say that the health department was told, or close with the outcome."""
    row = await of_facility(tx, hand.actor, reaction_id)
    moved = row if isinstance(row, Refused) else await move(tx, row, act, hand, ending)
    return moved if isinstance(moved, Refused) else line_of(moved)


async def follow_up(
    tx: Tx, keys: KeyRing, reaction_id: UUID, text: str, hand: Hand
) -> FacilityReactionLine | Refused:
    """Write what was found and done; who reported reads it. Refused: reaction-withheld, as `move`."""
    row = await of_facility(tx, hand.actor, reaction_id)
    if isinstance(row, Refused):
        return row
    if await is_stopped(tx, row.patient_id, text, hand.now):
        return Refused(problem=REACTION_WITHHELD, where="text")
    moved = await move(tx, row, "follow-up", hand)
    if isinstance(moved, Refused):
        return moved
    full = await add_step(tx, keys, moved, "follow-up", StepBody(note=text), hand)
    return full if full is not None else line_of(moved)


def line_of(row: FacilityRow | ReactionRow) -> FacilityReactionLine:
    return FacilityReactionLine(
        reaction_id=row.reaction_id,
        severity=row.severity,
        state=row.state,
        reported_at=row.reported_at,
        due_at=row.due_at,
        overdue=row.overdue_at is not None,
        authority_told=row.authority_told_at is not None,
    )


async def view_of(tx: Tx, keys: KeyRing, row: ReactionRow) -> FacilityReaction:
    line = line_of(row)
    person = await person_card(tx, keys, await survivor_of(tx, row.patient_id))
    content = content_of(keys, row.patient_id, row.content)
    return FacilityReaction(
        **{name: getattr(line, name) for name in line.__struct_fields__},
        person_name=person.name if person is not None else None,
        birth_date=person.birth_date if person is not None else None,
        by_relative=row.reported_by != row.patient_id,
        phone=content.phone,
        kind=row.kind,
        dose=content.dose,
        symptoms=content.symptoms,
        said=content.said,
        onset_at=content.onset_at,
        site=content.site,
        treatment=content.treatment,
        note=content.note,
        steps=await steps_of(tx, keys, row),
        acknowledged_at=row.acknowledged_at,
        authority_told_at=row.authority_told_at,
        outcome=row.outcome,
        assessed=row.assessed,
    )
