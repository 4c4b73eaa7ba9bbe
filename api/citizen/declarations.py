"""Declaring for a visit, for oneself and for whom one acts."""

from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Struct

from api.acting import begin_for
from api.idempotency import PROBLEMS, create_once
from api.reading import Cursor, Limit
from api.request import Call, answer
from ehr.cases.reading import LAST_ID
from ehr.intake.plain import is_stopped
from identity.problems import TOO_MANY
from kernel.access import Access
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import Refused
from store.database import Tx
from visits.declarations import publishing, service
from visits.declarations.answers import words_in
from visits.declarations.models import (
    Checked,
    Declaration,
    DeclarationBody,
    DeclarationOpened,
    DeclarationRow,
    FormLine,
    FormOpened,
)
from visits.declarations.problems import (
    ANSWERS_INVALID,
    ANSWERS_WITHHELD,
    DECLARATION_EXISTS,
    DECLARATION_UNKNOWN,
    FORM_OUTDATED,
    FORM_UNKNOWN,
    ONE_VISIT,
    VISIT_OVER,
    VISIT_UNKNOWN,
)

TAGS: Final = ["declarations"]
ACTION: Final = "manage-appointments"
AtFacility = Annotated[
    UUID | None,
    QueryParameter(name="facility_id", description="Its own forms, too; without it only general."),
]


class Forms(Struct, kw_only=True):
    """Forms, newest first. `next` is opaque; null on the last page."""

    items: list[FormLine]
    next: str | None


class Declarations(Struct, kw_only=True):
    """Declarations, newest first. `next` is opaque; null on the last page."""

    items: list[Declaration]
    next: str | None


@get(
    "/v1/me/declaration-forms",
    actors=("citizen",),
    operation_id="declaration_forms",
    tags=TAGS,
    problems=(BAD_CURSOR,),
)
async def list_forms(
    call: NamedDependency[Call], facility_id: AtFacility = None, cursor: Cursor = None, limit: Limit = None
) -> Response[Forms]:
    """What can be filled in now: forms of every facility and, where one is named, its own."""
    before, size = decode_cursor(cursor, tuple[UUID])[0] if cursor else LAST_ID, limit or PAGE_DEFAULT
    async with begin_for(call, ACTION) as (tx, _):
        rows = await publishing.live(tx, facility_id, before, size + 1)
    return answer(forms_page(rows, size))


def forms_page(rows: list[Any], size: int) -> Forms:
    """rows: one more than fit, where there are more."""
    following = encode_cursor(str(rows[size - 1].form_id)) if len(rows) > size else None
    return Forms(items=[publishing.line_of(row) for row in rows[:size]], next=following)


@get(
    "/v1/me/declaration-forms/{form_id:uuid}",
    actors=("citizen",),
    operation_id="declaration_form",
    tags=TAGS,
    problems=(FORM_UNKNOWN,),
)
async def one_form(form_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[FormOpened]:
    """A form with its questions, as a FHIR Questionnaire; also an older version that was answered."""
    async with begin_for(call, ACTION) as (tx, _):
        row = await publishing.shown_to_people(tx, form_id)
    return answer(row if isinstance(row, Refused) else publishing.opened(row))


@post(
    "/v1/me/declarations",
    actors=("citizen",),
    operation_id="me_declare",
    tags=TAGS,
    status_code=201,
    idempotent=True,
    problems=(
        ONE_VISIT,
        VISIT_UNKNOWN,
        VISIT_OVER,
        FORM_UNKNOWN,
        FORM_OUTDATED,
        ANSWERS_INVALID,
        ANSWERS_WITHHELD,
        DECLARATION_EXISTS,
        DECLARATION_UNKNOWN,
        TOO_MANY,
        *PROBLEMS,
    ),
)
async def declare(
    data: JSONBody[DeclarationBody], call: NamedDependency[Call]
) -> Response[DeclarationOpened]:
    """Answer a form for a check-in or a booking; each form once for each visit."""
    async with begin_for(call, ACTION) as (tx, access):
        row = await create_once(
            tx,
            call,
            access.actor,
            201,
            make=lambda: _made(tx, call, access, data),
            again=lambda declaration_id: service.own(tx, access, declaration_id),
            id_of=lambda made: made.declaration_id,
        )
        return answer(await _view(tx, call, access, row), status=201)


async def _made(tx: Tx, call: Call, access: Access, data: DeclarationBody) -> DeclarationRow | Refused:
    checked = await service.check(tx, access, data, call.now)
    if isinstance(checked, Refused):
        return checked
    refused = await _unheard(tx, access, checked, call)
    return refused or await service.declare(tx, call.keys, access, checked, call.request_id, call.now)


async def _unheard(tx: Tx, access: Access, checked: Checked, call: Call) -> Refused | None:
    """What the gate would not let into a book is not written here either (vietnam.md §5): each text by
    itself, then all of them as one, for a word can be told in two answers."""
    said = words_in(checked.body.answers)
    for one in said:
        if await is_stopped(tx, access.patient_id, one.text, call.now):
            return Refused(problem=ANSWERS_WITHHELD, where=one.link_id)
    whole = " ".join(one.text for one in said)
    if len(said) > 1 and await is_stopped(tx, access.patient_id, whole, call.now):
        return Refused(problem=ANSWERS_WITHHELD, where="answers")
    return None


async def _view(
    tx: Tx, call: Call, access: Access, row: DeclarationRow | Refused
) -> DeclarationOpened | Refused:
    return row if isinstance(row, Refused) else await service.view_of(tx, call.keys, access, row)


@get(
    "/v1/me/declarations",
    actors=("citizen",),
    operation_id="me_declarations",
    tags=TAGS,
    problems=(BAD_CURSOR,),
)
async def list_declarations(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Declarations]:
    """What was declared for visits of the last month, and for those to come."""
    before, size = decode_cursor(cursor, tuple[UUID])[0] if cursor else LAST_ID, limit or PAGE_DEFAULT
    async with begin_for(call, ACTION) as (tx, access):
        rows = await service.own_list(tx, access, before, size + 1)
        items = [await service.line_of(tx, row) for row in rows[:size]]
    following = encode_cursor(str(rows[size - 1].declaration_id)) if len(rows) > size else None
    return answer(Declarations(items=items, next=following))


@get(
    "/v1/me/declarations/{declaration_id:uuid}",
    actors=("citizen",),
    operation_id="me_declaration",
    tags=TAGS,
    problems=(DECLARATION_UNKNOWN,),
)
async def one_declaration(
    declaration_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[DeclarationOpened]:
    """A declaration, with its answers (FHIR) for the person and for whoever gave them."""
    async with begin_for(call, ACTION) as (tx, access):
        row = await service.own(tx, access, declaration_id)
        return answer(await _view(tx, call, access, row))


@post(
    "/v1/me/declarations/{declaration_id:uuid}/withdraw",
    actors=("citizen",),
    operation_id="me_withdraw_declaration",
    tags=TAGS,
    status_code=204,
    problems=(DECLARATION_UNKNOWN,),
)
async def withdraw(declaration_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Take a declaration back: nothing of it is left, here or at the facility."""
    async with begin_for(call, ACTION) as (tx, access):
        refused = await service.withdraw(tx, access, declaration_id, call.request_id, call.now)
    return answer(refused, status=204)


handlers: list[Any] = [list_forms, one_form, declare, list_declarations, one_declaration, withdraw]
