"""The reporter's side: report, quickly or in full, add what changed, take back, and read.

Nothing about a dose keeps a report out: a dose that is not found is left out, words that the gate stops are
left out, and the advice is in the answer. Who reports in another's place sees what that relative reported.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from ehr.intake.plain import is_stopped
from identity import budgets
from identity.register.facilities import facility_by_id
from kernel.access import Access
from kernel.clock import local_day
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from vaccination.book.models import Dose
from vaccination.book.policy import days_of
from vaccination.book.reading import dose_of, doses_of
from vaccination.reactions import policy, queries
from vaccination.reactions.models import (
    Content,
    DoseTold,
    MoreSymptoms,
    NewReaction,
    QuickReaction,
    ReactionKind,
    ReactionRow,
    StepBody,
    Symptom,
    UnsentDose,
)
from vaccination.reactions.moving import Hand, add_step, alert, find, mirror, move, note, set_clock
from vaccination.reactions.problems import REACTION_UNKNOWN, REACTIONS_TOO_MANY, SYMPTOM_UNKNOWN
from vaccination.reactions.signs import SIGNS
from vaccination.reactions.texts import sealed_content

_QUICK: Final = timedelta(days=SIGNS.quick_days)


async def report(
    tx: Tx, keys: KeyRing, access: Access, reading: Access | None, body: NewReaction, hand: Hand
) -> tuple[ReactionRow, bool] | Refused:
    """Keep a report. reading: what the reporter may see of the book; None: nothing. Whether words were left
    out. Refused: reaction-symptom-unknown, reactions-too-many."""
    refused = await _refusal(tx, access, body.symptoms, hand)
    if refused is not None:
        return refused
    dose = None
    if body.immunization_id is not None and reading is not None:
        dose = await dose_of(tx, reading, body.immunization_id, hand.now)
    unsent = body.unsent or UnsentDose()
    written = " ".join(text for text in (body.note, unsent.vaccine, unsent.lot) if text)
    stopped = bool(written) and await is_stopped(tx, access.patient_id, written, hand.now)
    told = _told(dose) if dose is not None else _as_written(body, stopped=stopped)
    content = Content(
        dose=told,
        symptoms=body.symptoms,
        said=body.said,
        onset_at=None if body.onset_at is None else min(body.onset_at, hand.now),
        site=body.site,
        treatment=body.treatment,
        note=None if stopped else body.note,
        phone=body.phone,
    )
    facility_id = dose.facility_id if dose is not None and dose.facility_id is not None else body.facility_id
    row = await _keep(tx, keys, access, "full", dose, facility_id, content, hand)
    return row, stopped


async def report_quickly(
    tx: Tx, keys: KeyRing, access: Access, reading: Access | None, body: QuickReaction, hand: Hand
) -> ReactionRow | Refused:
    """Keep a report of somebody who has no time: the newest dose of the last days is looked up."""
    refused = await _refusal(tx, access, body.symptoms, hand)
    if refused is not None:
        return refused
    dose = None if reading is None else newest(await doses_of(tx, reading, hand.now), hand.now)
    content = Content(dose=_told(dose) if dose else None, symptoms=body.symptoms, said=None)
    facility_id = dose.facility_id if dose is not None and dose.facility_id is not None else body.facility_id
    return await _keep(tx, keys, access, "quick", dose, facility_id, content, hand)


def newest(doses: list[Dose], now: datetime) -> Dose | None:
    """The newest counted dose of the last days whose day is known."""
    today = local_day(now)
    near = [
        (days[1], dose.received_at, dose)
        for dose in doses
        if dose.is_counted
        and (days := days_of(dose.given)) is not None
        and days[0] == days[1]
        and today - _QUICK <= days[1] <= today
    ]
    found = max(near, key=lambda one: one[:2], default=None)
    return None if found is None else found[2]


async def add(
    tx: Tx, keys: KeyRing, access: Access, reaction_id: UUID, body: MoreSymptoms, hand: Hand
) -> tuple[ReactionRow, bool] | Refused:
    """Say what changed. A report that becomes severe alerts and starts its clock now."""
    if policy.unknown_sign(body.symptoms) is not None:
        return Refused(problem=SYMPTOM_UNKNOWN, where="symptoms")
    row = await own(tx, access, reaction_id)
    if isinstance(row, Refused):
        return row
    stopped = body.note is not None and await is_stopped(tx, access.patient_id, body.note, hand.now)
    step = StepBody(
        symptoms=body.symptoms,
        said=body.said,
        treatment=body.treatment,
        note=None if stopped else body.note,
    )
    refused = await add_step(tx, keys, row, "symptoms", step, hand)
    if refused is not None:
        return refused
    severity = policy.worse(row.severity, policy.judge(body.symptoms, body.said, body.treatment))
    is_new = severity == "severe" and row.severity != "severe"
    due_at = policy.due_at(severity, row.facility_id, hand.now) if is_new else row.due_at
    graver = replace(row, severity=severity, due_at=due_at)
    moved = await move(tx, graver, "add", hand)
    if is_new and isinstance(moved, ReactionRow):
        await alert(tx, moved, hand.now)
    return moved if isinstance(moved, Refused) else (moved, stopped)


async def withdraw(tx: Tx, access: Access, reaction_id: UUID, hand: Hand) -> ReactionRow | Refused:
    """Take back a report that was a mistake; it stays as withdrawn."""
    row = await own(tx, access, reaction_id)
    return row if isinstance(row, Refused) else await move(tx, row, "withdraw", hand)


async def own(tx: Tx, access: Access, reaction_id: UUID) -> ReactionRow | Refused:
    """One of the reports that whoever acts may see, locked."""
    for patient_id in (access.patient_id, *sorted(access.origins)):
        row = await find(tx, patient_id, reaction_id)
        if isinstance(row, ReactionRow) and (access.is_own or row.reported_by == access.actor.actor_id):
            return row
    return Refused(problem=REACTION_UNKNOWN)


async def own_list(tx: Tx, access: Access, before: UUID, limit: int) -> list[ReactionRow]:
    """Newest first. Of everybody merged into the person too."""
    reporter = None if access.is_own else access.actor.actor_id
    found = [
        row
        for patient_id in (access.patient_id, *sorted(access.origins))
        for row in await queries.OF_PERSON.all(tx, patient_id, reporter, before, limit)
    ]
    return sorted(found, key=lambda row: row.reaction_id, reverse=True)[:limit]


async def _refusal(tx: Tx, access: Access, symptoms: list[Symptom], hand: Hand) -> Refused | None:
    if policy.unknown_sign(symptoms) is not None:
        return Refused(problem=SYMPTOM_UNKNOWN, where="symptoms")
    reporter = budgets.subject(access.actor.actor_id.bytes)
    spent = await budgets.charge_or_refuse(tx, budgets.REACTIONS_DAY, reporter, hand.now)
    return Refused(problem=REACTIONS_TOO_MANY) if spent is not None else None


async def _keep(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    kind: ReactionKind,
    dose: Dose | None,
    facility_id: UUID | None,
    content: Content,
    hand: Hand,
) -> ReactionRow:
    severity = policy.judge(content.symptoms, content.said, content.treatment)
    facility = None if facility_id is None else await facility_by_id(tx, facility_id)
    row = ReactionRow(
        patient_id=access.patient_id,
        reaction_id=uuid7(hand.now),
        kind=kind,
        immunization_id=None if dose is None else dose.immunization_id,
        facility_id=None if facility is None else facility.facility_id,
        reported_by=access.actor.actor_id,
        severity=severity,
        state="reported",
        content=sealed_content(keys, access.patient_id, content),
        reported_at=hand.now,
        due_at=policy.due_at(severity, None if facility is None else facility.facility_id, hand.now),
        overdue_at=None,
        acknowledged_at=None,
        authority_told_at=None,
        outcome=None,
        assessed=None,
        ended_at=None,
    )
    await queries.INSERT.run(tx, *(getattr(row, name) for name in ReactionRow.__struct_fields__))
    await mirror(tx, row)
    await set_clock(tx, row)
    await note(tx, row, "vaccination:reaction:report", hand)
    if severity == "severe":
        await alert(tx, row, hand.now)
    return row


def _told(dose: Dose) -> DoseTold:
    return DoseTold(
        immunization_id=dose.immunization_id,
        vaccine=dose.title,
        lot=dose.lot,
        given=dose.given,
        in_book=True,
    )


def _as_written(body: NewReaction, *, stopped: bool) -> DoseTold | None:
    unsent = body.unsent
    if unsent is None:
        return None
    return DoseTold(
        immunization_id=None,
        vaccine=None if stopped else unsent.vaccine,
        lot=None if stopped else unsent.lot,
        given=None if unsent.given_on is None else unsent.given_on.isoformat(),
        in_book=False,
    )
