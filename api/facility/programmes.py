"""A facility follows people in programmes: enrolment, visits, endings, and whom it expects."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar
from uuid import UUID

from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Struct

from api.facility.entry import desk_of
from api.files import file_answer
from api.idempotency import PROBLEMS as REPEATS
from api.idempotency import create_once
from api.problems import BODY_TOO_LARGE, INVALID_FIELD, UNSUPPORTED_MEDIA_TYPE
from api.reading import Cursor, Limit
from api.request import Answer, Call, answer
from documents import csv
from ehr.entry.service import Desk
from ehr.intake.problems import RECORDS_BUSY
from ehr.programmes import due, service
from ehr.programmes.models import (
    DuePage,
    EndBody,
    EnrolmentBody,
    EnrolmentReceipt,
    EnrolmentShown,
    Programme,
    StageBody,
    VisitBody,
)
from ehr.programmes.problems import (
    ENROLMENT_ENDED,
    ENROLMENT_EXISTS,
    ENROLMENT_NOT_FOUND,
    PROGRAMME_INVALID,
    PROGRAMME_WITHHELD,
    VISIT_NOT_FOUND,
)
from ehr.programmes.reports import KIND, kind_of
from ehr.rows.models import FILE_BYTES_MAX, ROWS_MAX, RowsFiles, RowsReceipt
from ehr.rows.problems import ROWS_NOT_FOUND, ROWS_UNREADABLE
from ehr.rows.reading import MEDIA_TYPES
from ehr.rows.service import receipt_of, recent_files, take_rows
from identity.problems import TOO_MANY
from kernel.paging import BAD_CURSOR
from kernel.problems import Refused, refuse
from store.database import Tx
from visits.problems import NOT_AT_A_FACILITY

CLINICAL: Final = ("doctor", "nurse", "facility-system")
STAFF: Final = ("doctor", "nurse")
BASE: Final = "/v1/facility/programmes/enrolments"
ONE: Final = BASE + "/{enrolment_id:uuid}"
TAGS: Final = ["programmes"]
CHANGES: Final = (
    PROGRAMME_INVALID,
    PROGRAMME_WITHHELD,
    ENROLMENT_NOT_FOUND,
    ENROLMENT_ENDED,
    NOT_AT_A_FACILITY,
    RECORDS_BUSY,
    TOO_MANY,
)
Only: TypeAlias = Annotated[Programme | None, QueryParameter(name="programme", description="Only this one.")]
Until: TypeAlias = Annotated[
    date | None, QueryParameter(description="The last day of a next visit; without it the next two weeks.")
]
Undated: TypeAlias = Annotated[
    bool, QueryParameter(description="Those instead who are followed and have no day to come next.")
]
Made = TypeVar("Made", bound=Struct)


async def _for_desk(call: Call, act: Callable[[Tx, Desk], Awaitable[Made | Refused]]) -> Answer:
    """One act of the caller's own facility."""
    async with call.begin() as (tx, actor):
        desk = await desk_of(tx, call, actor)
        done = desk if isinstance(desk, Refused) else await act(tx, desk)
    return answer(done)


@post(
    BASE,
    status_code=201,
    actors=CLINICAL,
    operation_id="enrol_in_programme",
    tags=TAGS,
    idempotent=True,
    problems=(
        PROGRAMME_INVALID,
        PROGRAMME_WITHHELD,
        ENROLMENT_EXISTS,
        NOT_AT_A_FACILITY,
        RECORDS_BUSY,
        TOO_MANY,
        *REPEATS,
    ),
)
async def enrol(data: JSONBody[EnrolmentBody], call: NamedDependency[Call]) -> Response[EnrolmentReceipt]:
    """Follow a person who presented a number; the answer is the same whoever it is."""
    async with call.begin() as (tx, actor):
        desk = await desk_of(tx, call, actor)
        if isinstance(desk, Refused):
            return answer(desk)
        made = await create_once(
            tx,
            call,
            actor,
            201,
            make=lambda: service.enrol(tx, call.keys, desk, data),
            again=lambda enrolment_id: service.receipt_of(tx, desk, enrolment_id),
            id_of=lambda receipt: receipt.enrolment_id,
        )
    return answer(made, status=201)


@get(
    ONE,
    actors=STAFF,
    operation_id="read_enrolment",
    tags=TAGS,
    problems=(ENROLMENT_NOT_FOUND, NOT_AT_A_FACILITY),
)
async def read_enrolment(
    enrolment_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[EnrolmentShown]:
    """What this facility itself recorded; that it was opened stands in the person's log."""
    return await _for_desk(call, lambda tx, desk: service.show(tx, call.keys, desk, enrolment_id))


@put(ONE, actors=CLINICAL, operation_id="amend_enrolment", tags=TAGS, problems=CHANGES)
async def amend(
    enrolment_id: FromPath[UUID], data: JSONBody[EnrolmentBody], call: NamedDependency[Call]
) -> Response[EnrolmentReceipt]:
    """Replace what was said at the enrolment; programme and register number stay, and so do the visits."""
    return await _for_desk(call, lambda tx, desk: service.amend(tx, call.keys, desk, enrolment_id, data))


@post(
    ONE + "/visits",
    status_code=201,
    actors=CLINICAL,
    operation_id="record_programme_visit",
    tags=TAGS,
    idempotent=True,
    problems=(*CHANGES, *REPEATS),
)
async def record_visit(
    enrolment_id: FromPath[UUID], data: JSONBody[VisitBody], call: NamedDependency[Call]
) -> Response[EnrolmentReceipt]:
    """Record a follow-up visit and the day to come next."""
    async with call.begin() as (tx, actor):
        desk = await desk_of(tx, call, actor)
        if isinstance(desk, Refused):
            return answer(desk)
        made = await create_once(
            tx,
            call,
            actor,
            201,
            make=lambda: service.visit(tx, call.keys, desk, enrolment_id, data),
            again=lambda _: service.receipt_of(tx, desk, enrolment_id),
            id_of=lambda receipt: receipt.visit_id or receipt.enrolment_id,
        )
    return answer(made, status=201)


@post(
    ONE + "/visits/{visit_id:uuid}/withdraw",
    status_code=200,
    actors=CLINICAL,
    operation_id="withdraw_programme_visit",
    tags=TAGS,
    problems=(*CHANGES, VISIT_NOT_FOUND),
)
async def withdraw_visit(
    enrolment_id: FromPath[UUID], visit_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[EnrolmentReceipt]:
    """Take back a visit that was typed in by mistake."""
    return await _for_desk(
        call, lambda tx, desk: service.withdraw_visit(tx, call.keys, desk, enrolment_id, visit_id)
    )


@post(
    ONE + "/stage",
    status_code=200,
    actors=CLINICAL,
    operation_id="change_programme_stage",
    tags=TAGS,
    problems=CHANGES,
)
async def change_stage(
    enrolment_id: FromPath[UUID], data: JSONBody[StageBody], call: NamedDependency[Call]
) -> Response[EnrolmentReceipt]:
    """Change the stage, in the facility's own words."""
    return await _for_desk(call, lambda tx, desk: service.set_stage(tx, call.keys, desk, enrolment_id, data))


@post(
    ONE + "/end", status_code=200, actors=CLINICAL, operation_id="end_enrolment", tags=TAGS, problems=CHANGES
)
async def end(
    enrolment_id: FromPath[UUID], data: JSONBody[EndBody], call: NamedDependency[Call]
) -> Response[EnrolmentReceipt]:
    """Discharge or transfer; a birth closes a pregnancy."""
    return await _for_desk(call, lambda tx, desk: service.end(tx, call.keys, desk, enrolment_id, data))


@post(
    ONE + "/withdraw",
    status_code=200,
    actors=CLINICAL,
    operation_id="withdraw_enrolment",
    tags=TAGS,
    problems=(ENROLMENT_NOT_FOUND, ENROLMENT_ENDED, NOT_AT_A_FACILITY),
)
async def withdraw(enrolment_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[EnrolmentReceipt]:
    """Take the whole enrolment back, for a person who was enrolled by mistake."""
    return await _for_desk(call, lambda tx, desk: service.withdraw(tx, call.keys, desk, enrolment_id))


@get(
    "/v1/facility/programmes/due",
    actors=STAFF,
    operation_id="programmes_due",
    tags=TAGS,
    problems=(BAD_CURSOR, NOT_AT_A_FACILITY),
)
async def due_list(
    call: NamedDependency[Call],
    programme: Only = None,
    until: Until = None,
    undated: Undated = False,
    cursor: Cursor = None,
    limit: Limit = None,
) -> Response[DuePage]:
    """People whom this facility itself enrolled and whose visit is due, longest overdue first."""
    return await _for_desk(
        call, lambda tx, desk: due.page(tx, call.keys, desk, programme, until, cursor, limit, undated=undated)
    )


@get(
    "/v1/facility/programmes/due.csv",
    actors=STAFF,
    operation_id="programmes_due_file",
    tags=TAGS,
    problems=(NOT_AT_A_FACILITY,),
    produces="text/csv",
)
async def due_file(
    call: NamedDependency[Call],
    programme: Only = None,
    until: Until = None,
    undated: Undated = False,
) -> Response[bytes]:
    """People whose visit is due, as a CSV file for printing and calling them."""
    async with call.begin() as (tx, actor):
        desk = await desk_of(tx, call, actor)
        if isinstance(desk, Refused):
            return answer(desk)
        rows = await due.table(tx, call.keys, desk, programme, until, undated=undated)
    data = await asyncio.to_thread(csv.write, rows)
    return file_answer(f"programmes-due-{call.now:%Y%m%d}", "text/csv", data)


@post(
    "/v1/facility/programmes/reports",
    status_code=202,
    actors=CLINICAL,
    operation_id="send_programme_report",
    tags=TAGS,
    request_max_body_size=FILE_BYTES_MAX,
    media_types=MEDIA_TYPES,
    rows_max=ROWS_MAX,
    problems=(
        *(INVALID_FIELD, ROWS_UNREADABLE, NOT_AT_A_FACILITY, RECORDS_BUSY, TOO_MANY),
        *(BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE),
    ),
)
async def send_report(
    call: NamedDependency[Call],
    frequency: FromQuery[Literal["monthly", "quarterly"]],
    reported_on: Annotated[date, QueryParameter(description="Until which day the rows are complete.")],
) -> Response[RowsReceipt]:
    """Take a monthly or quarterly file in, a row a person.

    The receipt says of each row whether it was taken and why not; a row is found again by programme and
    register number.
    """
    async with call.begin() as (tx, actor):
        desk = await desk_of(tx, call, actor)
    if isinstance(desk, Refused):
        return answer(desk)
    media_type = (call.header("content-type") or "").partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES:
        refuse(UNSUPPORTED_MEDIA_TYPE)
    async with call.import_slots.of(call.store, call.clock, actor.actor_id):
        kind = kind_of(call.keys, desk, frequency, reported_on)
        taken = await take_rows(call.store, call.clock, desk, kind, await call.body(), media_type)
    return answer(taken, status=202)


@get(
    "/v1/facility/programmes/reports",
    actors=CLINICAL,
    operation_id="programme_reports",
    tags=TAGS,
    problems=(NOT_AT_A_FACILITY,),
)
async def list_reports(call: NamedDependency[Call]) -> Response[RowsFiles]:
    """The files that this facility sent last, with how far each is."""
    return await _for_desk(call, lambda tx, desk: recent_files(tx, desk.facility.facility_id, KIND))


@get(
    "/v1/facility/programmes/reports/{file_id:uuid}",
    actors=CLINICAL,
    operation_id="programme_report",
    tags=TAGS,
    problems=(ROWS_NOT_FOUND, NOT_AT_A_FACILITY),
)
async def read_report(file_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[RowsReceipt]:
    """What became of each row of a file so far."""
    return await _for_desk(call, lambda tx, desk: receipt_of(tx, desk.facility.facility_id, file_id))


handlers: list[Any] = [
    send_report,
    list_reports,
    read_report,
    enrol,
    read_enrolment,
    amend,
    record_visit,
    withdraw_visit,
    change_stage,
    end,
    withdraw,
    due_list,
    due_file,
]
