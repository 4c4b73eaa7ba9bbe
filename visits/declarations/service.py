"""The person's side: declare for a check-in or a booking, see what was declared, take it back.

Who acts for the person does the same where the visit is not kept from the family (security.md S23): such a
visit does not exist for them, nor does what was declared for it. What somebody answered, others who act for
the person see only that it was.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from msgspec.structs import replace

from audit.service import record_act
from identity import budgets
from identity.merges.aliases import book_to_tell
from kernel.access import Access
from kernel.clock import VIETNAM, local_day
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.fields import seal, unseal
from store.keys import KeyRing
from visits.declarations import publishing, queries
from visits.declarations.answers import fault_of, kept
from visits.declarations.fhir import QuestionnaireResponse
from visits.declarations.models import (
    Checked,
    Declaration,
    DeclarationBody,
    DeclarationOpened,
    DeclarationRow,
    Visit,
    VisitKind,
)
from visits.declarations.problems import (
    ANSWERS_INVALID,
    DECLARATION_EXISTS,
    DECLARATION_UNKNOWN,
    FORM_OUTDATED,
    FORM_UNKNOWN,
    ONE_VISIT,
    VISIT_OVER,
    VISIT_UNKNOWN,
)
from visits.safety.models import Item
from visits.safety.service import withheld

# Who fills in the form while waiting, or after an examination that went into the night.
CHECK_IN_LIFE: Final = timedelta(hours=24)


async def check(tx: Tx, access: Access, body: DeclarationBody, now: datetime) -> Checked | Refused:
    """What may be kept once the gate has heard it. Refused: declaration-one-visit, declaration-visit-unknown,
    declaration-visit-over, declaration-form-unknown, declaration-form-outdated, declaration-answers-invalid,
    too-many."""
    by_account = budgets.subject(access.actor.actor_id.bytes)
    spent = await budgets.charge_or_refuse(tx, budgets.DECLARATIONS_DAY, by_account, now)
    if spent is not None:
        return spent
    found = await _visit_for(tx, access, body, now)
    if isinstance(found, Refused):
        return found
    kind, visit = found
    form = await publishing.shown_to_people(tx, body.form_id)
    if isinstance(form, Refused) or form.facility_id not in (None, visit.facility_id):
        return Refused(problem=FORM_UNKNOWN, where="form_id")
    if form.state != "published":
        return Refused(problem=FORM_OUTDATED, where="form_id")
    questionnaire = publishing.questionnaire_of(form)
    fault = fault_of(questionnaire, body.answers)
    if fault is not None:
        # A linkId that the form does not have is the sender's own text.
        where = "answers" if fault.reason == "unknown" else fault.link_id
        return Refused(problem=ANSWERS_INVALID, where=where)
    return Checked(form, questionnaire, visit, kind, body)


async def declare(
    tx: Tx, keys: KeyRing, access: Access, checked: Checked, request_id: str, now: datetime
) -> DeclarationRow | Refused:
    """Keep it. Refused: declaration-exists, also where a relative made the one that stands."""
    visit, patient_id = checked.visit, checked.visit.patient_id
    said = replace(
        checked.body.answers,
        questionnaire=publishing.canonical_of(checked.form),
        authored=now.astimezone(VIETNAM).isoformat(timespec="seconds"),
        item=kept(checked.questionnaire, checked.body.answers),
    )
    row = DeclarationRow(
        patient_id=patient_id,
        declaration_id=uuid7(now),
        form_id=checked.form.form_id,
        facility_id=visit.facility_id,
        visit_kind=checked.visit_kind,
        visit_id=visit.visit_id,
        visit_on=local_day(visit.at),
        declared_by=access.actor.actor_id,
        answers=seal(keys, patient_id, "declaration", "answers", msgspec.json.encode(said).decode()),
        declared_at=now,
    )
    if (
        await queries.INSERT.one(tx, *(getattr(row, name) for name in DeclarationRow.__struct_fields__))
        is None
    ):
        return Refused(problem=DECLARATION_EXISTS)
    await queries.INSERT_MIRROR.run(tx, row.facility_id, row.visit_id, row.declaration_id, patient_id)
    await _logged(tx, access, patient_id, "visit:declaration:create", request_id, now)
    return row


async def own(tx: Tx, access: Access, declaration_id: UUID) -> DeclarationRow | Refused:
    """One that whoever acts may see. Refused: declaration-unknown."""
    for patient_id in _people(access):
        row = await queries.BY_ID.one(tx, patient_id, declaration_id)
        if row is not None and await _is_seen(tx, access, row):
            return row
    return Refused(problem=DECLARATION_UNKNOWN)


async def own_list(tx: Tx, access: Access, before: UUID, limit: int) -> list[DeclarationRow]:
    """Newest first, of everybody merged into the person too; a page is full unless it is the last."""
    found: list[DeclarationRow] = []
    while len(found) < limit:
        batch = [
            row
            for patient_id in _people(access)
            for row in await queries.OF_PERSON.all(tx, patient_id, before, limit)
        ]
        batch = sorted(batch, key=lambda row: row.declaration_id, reverse=True)[:limit]
        if not batch:
            break
        found += [row for row in batch if await _is_seen(tx, access, row)]
        before = batch[-1].declaration_id
    return found[:limit]


async def withdraw(
    tx: Tx, access: Access, declaration_id: UUID, request_id: str, now: datetime
) -> Refused | None:
    """Take it back: nothing of it is left. By the person, or by whoever made it. Refused:
    declaration-unknown."""
    row = await own(tx, access, declaration_id)
    if isinstance(row, Refused) or not _is_theirs(access, row):
        return Refused(problem=DECLARATION_UNKNOWN)
    await remove(tx, row.patient_id, row.declaration_id, row.facility_id, row.visit_id)
    await _logged(tx, access, row.patient_id, "visit:declaration:withdraw", request_id, now)
    return None


async def remove(tx: Tx, patient_id: UUID, declaration_id: UUID, facility_id: UUID, visit_id: UUID) -> None:
    """At both ends."""
    await queries.DELETE_MIRROR.run(tx, facility_id, visit_id, declaration_id)
    await queries.DELETE.run(tx, patient_id, declaration_id)


async def line_of(tx: Tx, row: DeclarationRow) -> Declaration:
    form = await publishing.shown_to_people(tx, row.form_id)
    assert not isinstance(form, Refused)
    assert form.version is not None
    return Declaration(
        declaration_id=row.declaration_id,
        form_id=row.form_id,
        form_code=form.code,
        form_version=form.version,
        title=form.title,
        facility_id=row.facility_id,
        visit_kind=row.visit_kind,
        visit_id=row.visit_id,
        visit_on=row.visit_on,
        by_relative=row.declared_by != row.patient_id,
        declared_at=row.declared_at,
    )


async def view_of(tx: Tx, keys: KeyRing, access: Access, row: DeclarationRow) -> DeclarationOpened:
    line = await line_of(tx, row)
    return DeclarationOpened(
        **{name: getattr(line, name) for name in line.__struct_fields__},
        answers=answers_of(keys, row) if _is_theirs(access, row) else None,
    )


def answers_of(keys: KeyRing, row: DeclarationRow) -> QuestionnaireResponse:
    text = unseal(keys, row.patient_id, "declaration", "answers", row.answers)
    return msgspec.json.decode(text, type=QuestionnaireResponse)


async def _visit_for(
    tx: Tx, access: Access, body: DeclarationBody, now: datetime
) -> tuple[VisitKind, Visit] | Refused:
    kind: VisitKind = "booking" if body.check_in_id is None else "check-in"
    visit_id = body.booking_id if body.check_in_id is None else body.check_in_id
    if visit_id is None or (body.check_in_id is not None and body.booking_id is not None):
        return Refused(problem=ONE_VISIT)
    for patient_id in _people(access):
        visit = await _visit(tx, kind, patient_id, visit_id)
        if visit is not None and await _is_open_to(tx, access, visit):
            life = CHECK_IN_LIFE if kind == "check-in" else timedelta(0)
            is_over = not visit.is_live or now >= visit.ends_at + life
            return Refused(problem=VISIT_OVER) if is_over else (kind, visit)
    return Refused(problem=VISIT_UNKNOWN)


async def _visit(tx: Tx, kind: VisitKind, patient_id: UUID, visit_id: UUID) -> Visit | None:
    asked = queries.CHECK_IN if kind == "check-in" else queries.BOOKING
    return await asked.one(tx, patient_id, visit_id)


async def _is_open_to(tx: Tx, access: Access, visit: Visit) -> bool:
    """Whether whoever acts may know of this visit (security.md S23)."""
    if access.is_own:
        return True
    item = Item(visit.visit_id, visit.unit_id, visit.facility_id)
    return not await withheld(tx, visit.patient_id, [item])


async def _is_seen(tx: Tx, access: Access, row: DeclarationRow) -> bool:
    """A visit that is there no more takes its flag along: the family sees nothing of it either way."""
    if access.is_own:
        return True
    visit = await _visit(tx, row.visit_kind, row.patient_id, row.visit_id)
    return visit is not None and await _is_open_to(tx, access, visit)


async def stands(tx: Tx, row: DeclarationRow) -> bool:
    """Whether its visit is still meant: what was declared for one that was given back, called off or
    withdrawn concerns nobody who works there."""
    visit = await _visit(tx, row.visit_kind, row.patient_id, row.visit_id)
    return visit is not None and visit.is_live


def _is_theirs(access: Access, row: DeclarationRow) -> bool:
    return access.is_own or row.declared_by == access.actor.actor_id


async def _logged(tx: Tx, access: Access, patient_id: UUID, tag: str, request_id: str, now: datetime) -> None:
    await record_act(
        tx,
        await book_to_tell(tx, patient_id, now),
        access.actor,
        tag,
        request_id=request_id,
        now=now,
        on_behalf_of=access.on_behalf_of,
    )


def _people(access: Access) -> tuple[UUID, ...]:
    return (access.patient_id, *sorted(access.origins))
