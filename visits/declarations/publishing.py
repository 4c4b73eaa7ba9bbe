"""Forms come into force by two accounts: one proposes, another publishes (security.md S26).

Operators make forms of all facilities, an administrator those of the own one. A version that is out stays as
it is: a change is the next version.
"""

from datetime import datetime
from uuid import UUID

import msgspec
from asyncpg import UniqueViolationError
from msgspec.structs import replace

from audit.service import record_admin_event
from kernel.access import Actor
from kernel.ids import uuid7
from kernel.problems import Refused, refuse
from store.database import Tx
from visits.declarations import queries
from visits.declarations.fhir import Questionnaire
from visits.declarations.forms import form_fault
from visits.declarations.models import FormLine, FormOpened, FormRow, NewForm
from visits.declarations.problems import FORM_INVALID, FORM_STATE, FORM_UNKNOWN

_URL = "urn:vn:so-suc-khoe:to-khai"
_STATUS = {"proposed": "draft", "published": "active", "ended": "retired"}
_OURS = ("id", "url", "version", "status", "language")


async def propose(tx: Tx, actor: Actor, new: NewForm, now: datetime) -> FormRow | Refused:
    """A version that waits for somebody else. Refused: declaration-form-invalid, where the linkId."""
    form = new.questionnaire
    if (named := next((name for name in _OURS if getattr(form, name) is not None), None)) is not None:
        return Refused(problem=FORM_INVALID, where=named)
    if (fault := form_fault(form)) is not None:
        return Refused(problem=FORM_INVALID, where=fault)
    row = FormRow(
        form_id=uuid7(now),
        facility_id=_scope(actor),
        code=new.code,
        version=None,
        title=form.title,
        body=msgspec.json.encode(form).decode(),
        reason=new.reason,
        state="proposed",
        proposed_by=actor.actor_id,
        proposed_at=now,
        published_by=None,
        published_at=None,
        ended_at=None,
    )
    await queries.INSERT_FORM.run(tx, *(getattr(row, name) for name in FormRow.__struct_fields__))
    await _noted(tx, actor, "propose", new.reason, now)
    return row


async def publish(tx: Tx, actor: Actor, form_id: UUID, now: datetime) -> FormRow | Refused:
    """By another account than the proposer's; the version before it ends. Refused: declaration-form-unknown,
    declaration-form-state. Raises the latter when two are published at once."""
    row = await own(tx, actor, form_id)
    if isinstance(row, Refused):
        return row
    if row.state != "proposed" or row.proposed_by == actor.actor_id:
        return Refused(problem=FORM_STATE)
    await queries.END_LIVE.run(tx, row.facility_id, row.code, now)
    try:
        made = await queries.PUBLISH.one(tx, form_id, actor.actor_id, now)
    except UniqueViolationError:
        refuse(FORM_STATE)
    if made is None:
        refuse(FORM_STATE)
    await _noted(tx, actor, "publish", row.reason, now)
    return made


async def end(tx: Tx, actor: Actor, form_id: UUID, reason: str, now: datetime) -> FormRow | Refused:
    """Nobody fills it in any more; one account is enough, for it asks for less. Refused:
    declaration-form-unknown, declaration-form-state."""
    row = await own(tx, actor, form_id)
    if isinstance(row, Refused):
        return row
    ended = await queries.END_FORM.one(tx, form_id, now)
    if ended is None:
        return Refused(problem=FORM_STATE)
    await _noted(tx, actor, "end", reason, now)
    return ended


async def own(tx: Tx, actor: Actor, form_id: UUID) -> FormRow | Refused:
    """A form that is the actor's to keep, in whatever state. Refused: declaration-form-unknown."""
    row = await queries.FORM_BY_ID.one(tx, form_id)
    if row is None or row.facility_id != _scope(actor):
        return Refused(problem=FORM_UNKNOWN)
    return row


async def kept_by(tx: Tx, actor: Actor, before: UUID, limit: int) -> list[FormRow]:
    """The actor's forms in all their versions, newest first."""
    return await queries.FORMS_OF.all(tx, _scope(actor), before, limit)


async def live(tx: Tx, facility_id: UUID | None, before: UUID, limit: int) -> list[FormRow]:
    """What can be filled in at a facility; None: everywhere. Newest first."""
    return await queries.LIVE_FORMS.all(tx, facility_id, before, limit)


async def shown_to_people(tx: Tx, form_id: UUID) -> FormRow | Refused:
    """A form that was published, also one that ended since: what was declared is read beside it. Refused:
    declaration-form-unknown."""
    row = await queries.FORM_BY_ID.one(tx, form_id)
    return row if row is not None and row.version is not None else Refused(problem=FORM_UNKNOWN)


def line_of(row: FormRow) -> FormLine:
    return FormLine(**{name: getattr(row, name) for name in FormLine.__struct_fields__})


def opened(row: FormRow) -> FormOpened:
    """With the Questionnaire as clients get it."""
    return FormOpened(
        **{name: getattr(row, name) for name in FormLine.__struct_fields__},
        questionnaire=replace(
            questionnaire_of(row),
            id=str(row.form_id),
            url=f"{_URL}:{row.code}",
            version=None if row.version is None else str(row.version),
            status=_STATUS[row.state],
            language="vi",
        ),
    )


def questionnaire_of(row: FormRow) -> Questionnaire:
    """As it was proposed."""
    return msgspec.json.decode(row.body, type=Questionnaire)


def canonical_of(row: FormRow) -> str:
    """What a QuestionnaireResponse names: the form and its version."""
    return f"{_URL}:{row.code}|{row.version}"


def _scope(actor: Actor) -> UUID | None:
    """Whose forms: an operator's are everybody's."""
    return None if actor.kind == "operator" else actor.facility_id


async def _noted(tx: Tx, actor: Actor, act: str, reason: str, now: datetime) -> None:
    await record_admin_event(tx, str(actor.actor_id), f"declaration-form:{act}", reason, 1, now)
