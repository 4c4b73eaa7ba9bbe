"""Forms of declarations: one account proposes a version, another publishes it (security.md S26)."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.citizen.declarations import Forms, forms_page
from api.idempotency import PROBLEMS, create_once
from api.reading import Cursor, Limit
from api.request import Call, answer
from ehr.cases.reading import LAST_ID
from ehr.intake.plain import is_stopped
from kernel.access import Actor
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor
from kernel.problems import Refused
from store.database import Tx
from visits.declarations import publishing
from visits.declarations.forms import texts_of
from visits.declarations.models import FormOpened, FormRow, NewForm, Why
from visits.declarations.problems import FORM_INVALID, FORM_STATE, FORM_UNKNOWN, FORM_WITHHELD

TAGS: Final = ["declaration-forms"]
ACTORS: Final = ("operator", "facility-admin")
BASE: Final = "/v1/admin/declaration-forms"
ONE: Final = BASE + "/{form_id:uuid}"


class EndedForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """reason: stands in the operators' chain; nobody's name in it."""

    reason: Why


def _opened(row: FormRow | Refused, status: int = 200) -> Response[FormOpened]:
    return answer(row if isinstance(row, Refused) else publishing.opened(row), status=status)


@post(
    BASE,
    actors=ACTORS,
    operation_id="propose_declaration_form",
    tags=TAGS,
    status_code=201,
    idempotent=True,
    problems=(FORM_INVALID, FORM_WITHHELD, FORM_UNKNOWN, *PROBLEMS),
)
async def propose(data: JSONBody[NewForm], call: NamedDependency[Call]) -> Response[FormOpened]:
    """Propose a version of a form: an operator for every facility, an administrator for the own one."""
    async with call.begin() as (tx, actor):
        row = await create_once(
            tx,
            call,
            actor,
            201,
            make=lambda: _proposed(tx, call, actor, data),
            again=lambda form_id: publishing.own(tx, actor, form_id),
            id_of=lambda made: made.form_id,
        )
    return _opened(row, 201)


async def _proposed(tx: Tx, call: Call, actor: Actor, data: NewForm) -> FormRow | Refused:
    """No form asks for what no book may hold (vietnam.md §5)."""
    texts = texts_of(data.questionnaire)
    for text in (*texts, " ".join(texts)):
        if await is_stopped(tx, actor.actor_id, text, call.now):
            return Refused(problem=FORM_WITHHELD)
    return await publishing.propose(tx, actor, data, call.now)


@get(BASE, actors=ACTORS, operation_id="kept_declaration_forms", tags=TAGS, problems=(BAD_CURSOR,))
async def list_kept(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Forms]:
    """One's forms in all their versions and states, newest first."""
    before, size = decode_cursor(cursor, tuple[UUID])[0] if cursor else LAST_ID, limit or PAGE_DEFAULT
    async with call.begin() as (tx, actor):
        rows = await publishing.kept_by(tx, actor, before, size + 1)
    return answer(forms_page(rows, size))


@get(ONE, actors=ACTORS, operation_id="kept_declaration_form", tags=TAGS, problems=(FORM_UNKNOWN,))
async def one(form_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[FormOpened]:
    """A form whole: what is read before it is published."""
    async with call.begin() as (tx, actor):
        return _opened(await publishing.own(tx, actor, form_id))


@post(
    ONE + "/publish",
    actors=ACTORS,
    operation_id="publish_declaration_form",
    tags=TAGS,
    status_code=200,
    problems=(FORM_UNKNOWN, FORM_STATE),
)
async def publish(form_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[FormOpened]:
    """Publish what somebody else proposed; the version before it ends."""
    async with call.begin() as (tx, actor):
        return _opened(await publishing.publish(tx, actor, form_id, call.now))


@post(
    ONE + "/end",
    actors=ACTORS,
    operation_id="end_declaration_form",
    tags=TAGS,
    status_code=200,
    problems=(FORM_UNKNOWN, FORM_STATE),
)
async def end(
    form_id: FromPath[UUID], data: JSONBody[EndedForm], call: NamedDependency[Call]
) -> Response[FormOpened]:
    """Let nobody fill in a form any more; what was answered stays readable."""
    async with call.begin() as (tx, actor):
        return _opened(await publishing.end(tx, actor, form_id, data.reason, call.now))


handlers: list[Any] = [propose, list_kept, one, publish, end]
