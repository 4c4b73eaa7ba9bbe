"""Staff of a facility without software type a visit in; the same facility amends or withdraws it."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from api.idempotency import PROBLEMS as REPEATS
from api.idempotency import create_once
from api.request import Call, answer
from ehr.entry import service
from ehr.entry.models import EntryBody, EntryReceipt
from ehr.entry.problems import ENTRY_CLINICAL, ENTRY_INVALID, ENTRY_NOT_FOUND, ENTRY_WITHDRAWN
from ehr.entry.service import Desk
from ehr.intake.problems import RECORDS_BUSY
from identity.problems import TOO_MANY
from identity.register.facilities import facility_by_id
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Tx
from visits.problems import NOT_AT_A_FACILITY

ENTERING: Final = ("doctor", "nurse", "clerk")
TAGS: Final = ["entry"]


async def desk_of(tx: Tx, call: Call, actor: Actor) -> Desk | Refused:
    facility = None if actor.facility_id is None else await facility_by_id(tx, actor.facility_id)
    if facility is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    return Desk(actor, facility, call.request_id, call.now)


@post(
    "/v1/facility/entry/records",
    status_code=201,
    actors=ENTERING,
    operation_id="enter_record",
    tags=TAGS,
    idempotent=True,
    problems=(ENTRY_INVALID, ENTRY_CLINICAL, NOT_AT_A_FACILITY, RECORDS_BUSY, TOO_MANY, *REPEATS),
)
async def enter_record(data: JSONBody[EntryBody], call: NamedDependency[Call]) -> Response[EntryReceipt]:
    """Record a visit of a person who presented a number; the answer is the same whoever it is."""
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
            again=lambda entry_id: service.recorded_again(tx, desk, entry_id),
            id_of=lambda receipt: receipt.entry_id,
        )
    return answer(made, status=201)


@get(
    "/v1/facility/entry/records/{entry_id:uuid}",
    actors=ENTERING,
    operation_id="entry_receipt",
    tags=TAGS,
    problems=(ENTRY_NOT_FOUND, NOT_AT_A_FACILITY),
)
async def read_entry(entry_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[EntryReceipt]:
    """What became of an entry of this facility; never what it says."""
    async with call.begin() as (tx, actor):
        desk = await desk_of(tx, call, actor)
        found = desk if isinstance(desk, Refused) else await service.recorded_again(tx, desk, entry_id)
    return answer(found)


@put(
    "/v1/facility/entry/records/{entry_id:uuid}",
    actors=ENTERING,
    operation_id="amend_entry",
    tags=TAGS,
    problems=(
        ENTRY_INVALID,
        ENTRY_CLINICAL,
        ENTRY_NOT_FOUND,
        ENTRY_WITHDRAWN,
        NOT_AT_A_FACILITY,
        RECORDS_BUSY,
        TOO_MANY,
    ),
)
async def amend_entry(
    entry_id: FromPath[UUID], data: JSONBody[EntryBody], call: NamedDependency[Call]
) -> Response[EntryReceipt]:
    """Replace an entry as a whole; what it no longer says is retracted."""
    async with call.begin() as (tx, actor):
        desk = await desk_of(tx, call, actor)
        if isinstance(desk, Refused):
            return answer(desk)
        done = await service.amend(tx, call.keys, desk, entry_id, data)
    return answer(done)


@post(
    "/v1/facility/entry/records/{entry_id:uuid}/withdraw",
    status_code=200,
    actors=ENTERING,
    operation_id="withdraw_entry",
    tags=TAGS,
    problems=(ENTRY_CLINICAL, ENTRY_NOT_FOUND, ENTRY_WITHDRAWN, NOT_AT_A_FACILITY),
)
async def withdraw_entry(entry_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[EntryReceipt]:
    """Take an entry back, for a visit that was typed in for the wrong person or by mistake."""
    async with call.begin() as (tx, actor):
        desk = await desk_of(tx, call, actor)
        done = desk if isinstance(desk, Refused) else await service.withdraw(tx, desk, entry_id)
    return answer(done)


handlers: list[Any] = [enter_record, read_entry, amend_entry, withdraw_entry]
