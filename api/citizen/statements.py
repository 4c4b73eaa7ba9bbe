"""What the person adds to the own book, or a guardian or proxy on the person's behalf: X-Patient-Id."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from api.acting import begin_for
from api.idempotency import PROBLEMS as REPEATS
from api.idempotency import create_once
from api.reading import OWN_PROBLEMS, Cursor, Limit, read_record, read_section
from api.request import Call, answer
from ehr.reads.models import Built, Page
from ehr.statements import service
from ehr.statements.form import CHOICES
from ehr.statements.models import StatementBody, StatementChoices, StatementReceipt, Statements
from ehr.statements.problems import (
    STATEMENT_DRUG_USE,
    STATEMENT_EXISTS,
    STATEMENT_INVALID,
    STATEMENT_NOT_FOUND,
    STATEMENT_NOT_TAKEN,
    STATEMENT_NOT_YOURS,
    TOO_MANY_STATEMENTS,
)
from family.problems import NOT_IN_YOUR_CARE, NOT_YOUR_BOOK
from identity.problems import DEVICE_ON_PROBATION, TOO_MANY
from kernel.access import Access
from store.database import Tx

TAGS: Final = ["statements"]
_ACTING: Final = (NOT_YOUR_BOOK, NOT_IN_YOUR_CARE, DEVICE_ON_PROBATION)
_TEXT: Final = (STATEMENT_INVALID, STATEMENT_DRUG_USE, STATEMENT_NOT_TAKEN)
_READ: Final = tuple(problem for problem in OWN_PROBLEMS if problem.code != "bad-cursor")


@get(
    "/v1/me/statements",
    actors=("citizen",),
    operation_id="read_own_statements",
    tags=TAGS,
    problems=_READ,
    conditional=True,
)
async def list_statements(call: NamedDependency[Call]) -> Response[Statements]:
    """What was said in this book, by whom, and what a doctor made of it."""

    async def build(tx: Tx, access: Access) -> Built:
        return await service.read(tx, access, call.now)

    return await read_record(call, None, "read-section", build, "statements")


@get(
    "/v1/me/statements/choices",
    actors=("citizen",),
    operation_id="statement_choices",
    tags=TAGS,
    problems=_ACTING,
)
async def choices(call: NamedDependency[Call]) -> Response[StatementChoices]:
    """Kinds, their fields and the code lists of QĐ 831; the same for everybody who may add something."""
    async with begin_for(call, "add-to-record"):
        return answer(CHOICES)


@post(
    "/v1/me/statements",
    status_code=201,
    actors=("citizen",),
    operation_id="make_statement",
    tags=TAGS,
    idempotent=True,
    problems=(*_TEXT, STATEMENT_EXISTS, TOO_MANY_STATEMENTS, TOO_MANY, *_ACTING, *REPEATS),
)
async def say(data: JSONBody[StatementBody], call: NamedDependency[Call]) -> Response[StatementReceipt]:
    """Add a statement to the book; what facilities sent stays as it is."""
    async with begin_for(call, "add-to-record") as (tx, access):
        made = await create_once(
            tx,
            call,
            access.actor,
            201,
            make=lambda: service.say(tx, call.keys, access, data, request_id=call.request_id, now=call.now),
            again=lambda made_id: service.written_before(tx, access, made_id),
            id_of=lambda receipt: receipt.statement_id,
        )
    return answer(made, status=201)


@put(
    "/v1/me/statements/{statement_id:uuid}",
    actors=("citizen",),
    operation_id="amend_statement",
    tags=TAGS,
    problems=(*_TEXT, STATEMENT_NOT_FOUND, STATEMENT_NOT_YOURS, TOO_MANY, *_ACTING),
)
async def amend(
    statement_id: FromPath[UUID], data: JSONBody[StatementBody], call: NamedDependency[Call]
) -> Response[StatementReceipt]:
    """Say a statement anew; it has to be looked at by a doctor again."""
    async with begin_for(call, "add-to-record") as (tx, access):
        done = await service.amend(
            tx, call.keys, access, str(statement_id), data, request_id=call.request_id, now=call.now
        )
    return answer(done)


@post(
    "/v1/me/statements/{statement_id:uuid}/withdraw",
    status_code=200,
    actors=("citizen",),
    operation_id="withdraw_statement",
    tags=TAGS,
    problems=(STATEMENT_NOT_FOUND, STATEMENT_NOT_YOURS, *_ACTING),
)
async def withdraw(statement_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[StatementReceipt]:
    """Take a statement back."""
    async with begin_for(call, "add-to-record") as (tx, access):
        done = await service.withdraw(tx, access, str(statement_id), request_id=call.request_id, now=call.now)
    return answer(done)


@get(
    "/v1/me/family-history",
    actors=("citizen",),
    operation_id="read_own_family_history",
    tags=["book"],
    problems=OWN_PROBLEMS,
    conditional=True,
)
async def family_history(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Page]:
    """Diseases of the family, as facilities sent them and as they were said."""
    return await read_section(call, None, "family-history", cursor, limit)


handlers: list[Any] = [list_statements, choices, say, amend, withdraw, family_history]
