"""The facility's side: staff see that questions wait, open one, accept or decline it, and answer.

Opening a question is reading what a person wrote: each time stands in the person's log, by name. No grant
comes with it, and nothing of the record opens.
"""

from datetime import datetime
from uuid import UUID

from identity.merges.aliases import survivor_of
from identity.people import person_card
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from visits.consultations import queries
from visits.consultations.asking import pictures_of
from visits.consultations.models import (
    EMERGENCY_EN,
    EMERGENCY_VI,
    ConsultationAct,
    ConsultationRow,
    FacilityConsultation,
    FacilityConsultationLine,
    FacilityRow,
)
from visits.consultations.moving import Hand, find, move, note
from visits.consultations.problems import CONSULTATION_UNKNOWN
from visits.consultations.texts import opened
from visits.problems import NOT_AT_A_FACILITY


async def waiting(
    tx: Tx, actor: Actor, before: UUID, limit: int, *, running: bool
) -> list[FacilityConsultationLine] | Refused:
    """Newest first; what is put to another doctor by name is not there."""
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    rows = await queries.OF_FACILITY.all(tx, actor.facility_id, actor.actor_id, running, before, limit)
    return [line_of(row, actor) for row in rows]


async def of_facility(tx: Tx, actor: Actor, consultation_id: UUID) -> ConsultationRow | Refused:
    """A question that this account may open, locked. Refused: not-at-a-facility, consultation-unknown."""
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    patient_id = await queries.PATIENT_OF.one(tx, actor.facility_id, consultation_id, actor.actor_id)
    if patient_id is None:
        return Refused(problem=CONSULTATION_UNKNOWN)
    row = await find(tx, patient_id, consultation_id)
    # Once somebody accepted it, it is between the two; a question that ended is nobody's to read again.
    if isinstance(row, ConsultationRow):
        ended = row.state in ("closed", "declined", "withdrawn", "expired")
        if ended or row.accepted_by not in (None, actor.actor_id):
            return Refused(problem=CONSULTATION_UNKNOWN)
    return row


async def open_question(
    tx: Tx, keys: KeyRing, consultation_id: UUID, hand: Hand
) -> FacilityConsultation | Refused:
    """Read a question; the person finds who in the log."""
    row = await of_facility(tx, hand.actor, consultation_id)
    if isinstance(row, Refused):
        return row
    await note(tx, row, "consultation:question:read", hand)
    return await view_of(tx, keys, row, hand.actor, hand.now)


async def staff_move(
    tx: Tx, keys: KeyRing, consultation_id: UUID, act: ConsultationAct, hand: Hand, answer: str | None = None
) -> FacilityConsultationLine | Refused:
    """Accept, decline or answer."""
    row = await of_facility(tx, hand.actor, consultation_id)
    moved = row if isinstance(row, Refused) else await move(tx, keys, row, act, hand, answer=answer)
    return moved if isinstance(moved, Refused) else line_of(moved, hand.actor)


def line_of(row: FacilityRow | ConsultationRow, actor: Actor) -> FacilityConsultationLine:
    return FacilityConsultationLine(
        emergency_vi=EMERGENCY_VI,
        emergency_en=EMERGENCY_EN,
        consultation_id=row.consultation_id,
        state=row.state,
        for_you=row.practitioner_id == actor.actor_id,
        asked_at=row.asked_at,
        answer_by=row.answer_by,
        overdue=row.overdue_at is not None,
    )


async def view_of(
    tx: Tx, keys: KeyRing, row: ConsultationRow, actor: Actor, now: datetime
) -> FacilityConsultation:
    line = line_of(row, actor)
    person = await person_card(tx, keys, await survivor_of(tx, row.patient_id))
    lives = row.share_code_until is not None and row.share_code_until > now
    code = row.share_code if lives and row.accepted_by == actor.actor_id else None
    return FacilityConsultation(
        **{name: getattr(line, name) for name in line.__struct_fields__},
        person_name=person.name if person is not None else None,
        birth_date=person.birth_date if person is not None else None,
        asked_by_relative=row.asked_by != row.patient_id,
        text=opened(keys, row.patient_id, "body", row.body) or "",
        pictures=await pictures_of(tx, row),
        answer=opened(keys, row.patient_id, "answer", row.answer),
        share_code=opened(keys, row.patient_id, "share_code", code),
        share_code_until=row.share_code_until if code is not None else None,
    )
