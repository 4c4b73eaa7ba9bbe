"""Facilities enter health checks: one by one, or a session by file. Nothing of them is read back here."""

from datetime import date
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from api.facility.entry import desk_of
from api.idempotency import PROBLEMS as REPEATS
from api.idempotency import create_once
from api.problems import BODY_TOO_LARGE, INVALID_FIELD, UNSUPPORTED_MEDIA_TYPE
from api.request import Call, answer
from ehr.health_checks import service
from ehr.health_checks.models import CheckBody, CheckReceipt, FormsShown
from ehr.health_checks.problems import (
    CHECK_EXISTS,
    CHECK_FORM_UNKNOWN,
    CHECK_INVALID,
    CHECK_NOT_FOUND,
    CHECK_WITHDRAWN,
)
from ehr.health_checks.sessions import KIND, forms_shown, session_of
from ehr.health_checks.templates import CheckKind
from ehr.intake.problems import RECORDS_BUSY
from ehr.rows.models import FILE_BYTES_MAX, ROWS_MAX, RowsFiles, RowsReceipt
from ehr.rows.problems import ROWS_NOT_FOUND, ROWS_UNREADABLE
from ehr.rows.reading import MEDIA_TYPES
from ehr.rows.service import receipt_of, recent_files, take_rows
from identity.problems import TOO_MANY
from kernel.problems import Refused, refuse
from visits.problems import NOT_AT_A_FACILITY

ENTERING: Final = ("doctor", "nurse", "facility-system")
TAGS: Final = ["health-checks"]
BASE: Final = "/v1/facility/health-checks"
_CHECKED: Final = (
    CHECK_INVALID,
    CHECK_FORM_UNKNOWN,
    CHECK_WITHDRAWN,
    NOT_AT_A_FACILITY,
    RECORDS_BUSY,
    TOO_MANY,
)


@get(BASE + "/forms", actors=ENTERING, operation_id="health_check_forms", tags=TAGS)
async def list_forms(call: NamedDependency[Call]) -> Response[FormsShown]:
    """The forms, with their fields and the headings of a session's table."""
    async with call.begin():
        return answer(forms_shown())


@post(
    BASE,
    status_code=201,
    actors=ENTERING,
    operation_id="enter_health_check",
    tags=TAGS,
    idempotent=True,
    problems=(*_CHECKED, CHECK_EXISTS, *REPEATS),
)
async def enter(data: JSONBody[CheckBody], call: NamedDependency[Call]) -> Response[CheckReceipt]:
    """Record one health check; the answer is the same whoever it is."""
    async with call.begin() as (tx, actor):
        desk = await desk_of(tx, call, actor)
        if isinstance(desk, Refused):
            return answer(desk)
        made = await create_once(
            tx,
            call,
            actor,
            201,
            make=lambda: service.record(tx, call.keys, desk, data),
            again=lambda check_id: service.recorded_again(tx, desk, check_id),
            id_of=lambda receipt: receipt.check_id,
        )
    return answer(made, status=201)


@get(
    BASE + "/{check_id:uuid}",
    actors=ENTERING,
    operation_id="health_check_receipt",
    tags=TAGS,
    problems=(CHECK_NOT_FOUND, NOT_AT_A_FACILITY),
)
async def read_receipt(check_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[CheckReceipt]:
    """What became of a check of this facility; never what it says."""
    async with call.begin() as (tx, actor):
        desk = await desk_of(tx, call, actor)
        found = desk if isinstance(desk, Refused) else await service.recorded_again(tx, desk, check_id)
    return answer(found)


@put(
    BASE + "/{check_id:uuid}",
    actors=ENTERING,
    operation_id="amend_health_check",
    tags=TAGS,
    problems=(*_CHECKED, CHECK_NOT_FOUND),
)
async def amend(
    check_id: FromPath[UUID], data: JSONBody[CheckBody], call: NamedDependency[Call]
) -> Response[CheckReceipt]:
    """Replace a check as a whole; what it no longer says is retracted."""
    async with call.begin() as (tx, actor):
        desk = await desk_of(tx, call, actor)
        if isinstance(desk, Refused):
            return answer(desk)
        done = await service.amend(tx, call.keys, desk, check_id, data)
    return answer(done)


@post(
    BASE + "/{check_id:uuid}/withdraw",
    status_code=200,
    actors=ENTERING,
    operation_id="withdraw_health_check",
    tags=TAGS,
    problems=(CHECK_NOT_FOUND, CHECK_WITHDRAWN, NOT_AT_A_FACILITY),
)
async def withdraw(check_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[CheckReceipt]:
    """Take a check back, for one that was entered for the wrong person or by mistake."""
    async with call.begin() as (tx, actor):
        desk = await desk_of(tx, call, actor)
        done = desk if isinstance(desk, Refused) else await service.withdraw(tx, desk, check_id)
    return answer(done)


@post(
    BASE + "/session",
    status_code=202,
    actors=ENTERING,
    operation_id="send_health_check_session",
    tags=TAGS,
    request_max_body_size=FILE_BYTES_MAX,
    media_types=MEDIA_TYPES,
    rows_max=ROWS_MAX,
    problems=(
        *(INVALID_FIELD, CHECK_FORM_UNKNOWN, ROWS_UNREADABLE, NOT_AT_A_FACILITY, RECORDS_BUSY, TOO_MANY),
        *(BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE),
    ),
)
async def send_session(
    call: NamedDependency[Call],
    kind: Annotated[CheckKind, QueryParameter(description="Of all rows.")],
    form: Annotated[str, QueryParameter(min_length=1, max_length=40)],
    form_version: Annotated[int | None, QueryParameter(ge=1, le=2**31 - 1)] = None,
    done_on: Annotated[date | None, QueryParameter(description="The day of rows that name none.")] = None,
) -> Response[RowsReceipt]:
    """Take a class or a factory in, a row a person, with an answer for each row.

    The same file sent again goes on where it stopped."""
    async with call.begin() as (tx, actor):
        desk = await desk_of(tx, call, actor)
    media_type = (call.header("content-type") or "").partition(";")[0].strip().lower()
    found = service.form_for(kind, form, form_version)
    if isinstance(desk, Refused) or isinstance(found, Refused):
        return answer(desk if isinstance(desk, Refused) else found)
    if media_type not in MEDIA_TYPES:
        refuse(UNSUPPORTED_MEDIA_TYPE)
    async with call.import_slots.of(call.store, call.clock, actor.actor_id):
        body = await call.body()
        session = session_of(found, kind, done_on, desk, call.clock)
        taken = await take_rows(call.store, call.clock, desk, session, body, media_type)
    return answer(taken, status=202)


@get(
    BASE + "/session",
    actors=ENTERING,
    operation_id="health_check_sessions",
    tags=TAGS,
    problems=(NOT_AT_A_FACILITY,),
)
async def list_sessions(call: NamedDependency[Call]) -> Response[RowsFiles]:
    """The sessions that this facility sent last, with how far each is."""
    async with call.begin() as (tx, actor):
        desk = await desk_of(tx, call, actor)
        found = desk if isinstance(desk, Refused) else await recent_files(tx, desk.facility.facility_id, KIND)
    return answer(found)


@get(
    BASE + "/session/{file_id:uuid}",
    actors=ENTERING,
    operation_id="health_check_session",
    tags=TAGS,
    problems=(ROWS_NOT_FOUND, NOT_AT_A_FACILITY),
)
async def read_session(file_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[RowsReceipt]:
    """What became of each row of a session so far."""
    async with call.begin() as (tx, actor):
        desk = await desk_of(tx, call, actor)
        found = (
            desk if isinstance(desk, Refused) else await receipt_of(tx, desk.facility.facility_id, file_id)
        )
    return answer(found)


handlers: list[Any] = [
    list_forms,
    enter,
    read_receipt,
    amend,
    withdraw,
    send_session,
    list_sessions,
    read_session,
]
