"""Prescriptions at a facility: its system sends and withdraws them, a pharmacist dispenses by the code.

The code travels in the body alone, never in an address (security.md S34). It opens one prescription's lines,
and only to a pharmacist who is signed in at a facility; each opening stands in the person's log.
"""

from typing import Annotated, Any, Final, TypeAlias
from uuid import UUID

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.idempotency import PROBLEMS as REPEATS
from api.idempotency import create_once
from api.problems import BODY_TOO_LARGE, UNAVAILABLE, UNSUPPORTED_MEDIA_TYPE
from api.reading import log_read
from api.request import Call, answer
from audit.service import record_act
from consent.decision import decide_prescription
from ehr.intake.problems import RECORDS_BUSY
from ehr.prescriptions import dispensing, service
from ehr.prescriptions.dispensing import LINES_MAX, LineOut
from ehr.prescriptions.models import AtCounter, DispenseReceipt, SentReceipt
from ehr.prescriptions.policy import TYPED_MAX
from ehr.prescriptions.problems import (
    DISPENSE_INVALID,
    DISPENSE_NOT_FOUND,
    DISPENSE_NOT_TODAY,
    DISPENSE_TOO_MUCH,
    PRESCRIPTION_INVALID,
    PRESCRIPTION_LAPSED,
    PRESCRIPTION_NOT_FOUND,
    PRESCRIPTION_REPLACED,
    PRESCRIPTION_WITHDRAWN,
)
from ehr.reads.models import Built
from ehr.reads.raw import encode
from identity.models import Facility
from identity.problems import TOO_MANY
from identity.register.facilities import facility_by_id
from kernel.access import Access, Actor
from kernel.clock import local_day
from kernel.problems import Refused, refuse
from store.database import Tx
from visits.problems import NOT_AT_A_FACILITY

TAGS: Final = ["prescriptions"]
BODY_BYTES_MAX: Final = 256 * 1024
SENDING: Final = ("facility-system",)
DISPENSING: Final = ("pharmacist",)
ENDED: Final = (PRESCRIPTION_LAPSED, PRESCRIPTION_REPLACED, PRESCRIPTION_WITHDRAWN)
AT_COUNTER: Final = (PRESCRIPTION_NOT_FOUND, *ENDED, TOO_MANY, NOT_AT_A_FACILITY, UNAVAILABLE)
Code: TypeAlias = Annotated[str, Meta(min_length=1, max_length=TYPED_MAX)]


class PrescriptionCode(Struct, kw_only=True, forbid_unknown_fields=True):
    """code: the 14 characters, letters in either case."""

    code: Code


class Dispense(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is handed out now. Lines that are not named get nothing."""

    code: Code
    lines: Annotated[list[LineOut], Meta(min_length=1, max_length=LINES_MAX)]


class TakeBack(Struct, kw_only=True, forbid_unknown_fields=True):
    """A dispense of today that was recorded by mistake, as a whole."""

    code: Code
    dispense_id: UUID


async def _facility(tx: Tx, actor: Actor) -> Facility:
    assert actor.facility_id is not None
    found = await facility_by_id(tx, actor.facility_id)
    assert found is not None
    return found


@post(
    "/v1/facility/prescriptions",
    status_code=202,
    actors=SENDING,
    operation_id="send_prescription",
    tags=TAGS,
    request_max_body_size=BODY_BYTES_MAX,
    media_types=("application/json",),
    problems=(PRESCRIPTION_INVALID, RECORDS_BUSY, BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE),
)
async def send_prescription(call: NamedDependency[Call]) -> Response[SentReceipt]:
    """Send a prescription once, in the national JSON.

    Bare, or as {"prescription": …, "replaces": code}: a correction is a new code that names the one it
    replaces (docs/facilities.md).
    """
    if (call.header("content-type") or "").partition(";")[0].strip().lower() != "application/json":
        refuse(UNSUPPORTED_MEDIA_TYPE)
    async with call.begin() as (tx, actor):
        sender = service.sender_of(await _facility(tx, actor), actor, call.now)
        sent = await service.send(tx, call.keys, sender, await call.body(), call.now)
    return answer(sent, status=202)


@post(
    "/v1/facility/prescriptions/withdraw",
    status_code=200,
    actors=SENDING,
    operation_id="withdraw_prescription",
    tags=TAGS,
    problems=(PRESCRIPTION_NOT_FOUND, PRESCRIPTION_REPLACED),
)
async def withdraw_prescription(
    data: JSONBody[PrescriptionCode], call: NamedDependency[Call]
) -> Response[SentReceipt]:
    """Take a prescription of one's own facility back; nothing more of it is dispensed."""
    async with call.begin() as (tx, actor):
        sender = service.sender_of(await _facility(tx, actor), actor, call.now)
        done = await service.withdraw(tx, call.keys, sender, data.code, call.now)
    return answer(done)


@post(
    "/v1/facility/prescriptions/look-up",
    status_code=200,
    actors=DISPENSING,
    operation_id="look_up_prescription",
    tags=TAGS,
    problems=AT_COUNTER,
)
async def look_up_prescription(
    data: JSONBody[PrescriptionCode], call: NamedDependency[Call]
) -> Response[AtCounter]:
    """The lines of a prescription with what is left to dispense, and nothing of the person."""
    async with call.begin() as (tx, actor):
        opened = await _open(tx, call, actor, data.code)
        if isinstance(opened, Refused):
            return answer(opened)
        seen = await dispensing.look_up(tx, opened, _of(opened), call.now)
        if isinstance(seen, Refused):
            return answer(await _recorded(tx, call, opened, "record:prescription:read", seen))
        body = encode(dispensing.at_counter(seen, local_day(call.now)))
        shown = [("MedicationRequest", line.medicine.id) for line in seen.lines]
        await log_read(tx, call, opened, Built(body, shown), changed=True)
    return answer(body)


@post(
    "/v1/facility/prescriptions/dispenses",
    status_code=201,
    actors=DISPENSING,
    operation_id="dispense_prescription",
    tags=TAGS,
    idempotent=True,
    problems=(*AT_COUNTER, DISPENSE_INVALID, DISPENSE_TOO_MUCH, DISPENSE_NOT_FOUND, *REPEATS),
)
async def dispense_prescription(
    data: JSONBody[Dispense], call: NamedDependency[Call]
) -> Response[DispenseReceipt]:
    """Record what is handed out today at the pharmacist's facility: never more than is left of a line."""
    async with call.begin() as (tx, actor):
        opened = await _open(tx, call, actor, data.code)
        if isinstance(opened, Refused):
            return answer(opened)
        made = await create_once(
            tx,
            call,
            actor,
            201,
            make=lambda: _dispense(tx, call, opened, data.lines),
            again=lambda made_id: dispensing.dispensed_again(tx, opened, _of(opened), made_id, call.now),
            id_of=lambda receipt: receipt.dispense_id,
        )
        return answer(made, status=201)


@post(
    "/v1/facility/prescriptions/dispenses/take-back",
    status_code=200,
    actors=DISPENSING,
    operation_id="take_back_dispense",
    tags=TAGS,
    problems=(
        PRESCRIPTION_NOT_FOUND,
        DISPENSE_NOT_FOUND,
        DISPENSE_NOT_TODAY,
        TOO_MANY,
        NOT_AT_A_FACILITY,
        UNAVAILABLE,
    ),
)
async def take_back_dispense(
    data: JSONBody[TakeBack], call: NamedDependency[Call]
) -> Response[DispenseReceipt]:
    """Undo what the same facility recorded by mistake on the same day."""
    async with call.begin() as (tx, actor):
        opened = await _open(tx, call, actor, data.code)
        if isinstance(opened, Refused):
            return answer(opened)
        named = opened, _of(opened), data.dispense_id, call.now
        if await dispensing.was_taken_back(tx, *named):
            return answer(await dispensing.dispensed_again(tx, *named))
        done = await dispensing.take_back(tx, *named)
        return answer(await _recorded(tx, call, opened, "prescription:line:take-back", done))


async def _open(tx: Tx, call: Call, actor: Actor, code: str) -> Access | Refused:
    """What the code opens. Nothing that it could open, nobody's code and no code at all are one refusal."""
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    found = await dispensing.find(tx, call.keys, actor, code, call.now)
    if isinstance(found, Refused):
        return found
    assert found.patient_id is not None
    access = await decide_prescription(tx, actor, found.patient_id, found.prescription_id)
    return Refused(problem=PRESCRIPTION_NOT_FOUND) if isinstance(access, Refused) else access


def _of(access: Access) -> UUID:
    assert access.basis_id is not None
    return access.basis_id


async def _dispense(tx: Tx, call: Call, access: Access, lines: list[LineOut]) -> DispenseReceipt | Refused:
    done = await dispensing.dispense(tx, access, _of(access), lines, call.now)
    return await _recorded(tx, call, access, "prescription:line:dispense", done)


async def _recorded(
    tx: Tx, call: Call, access: Access, tag: str, done: DispenseReceipt | Refused
) -> DispenseReceipt | Refused:
    """An act at the counter stands in the person's log once, with who did it and where; so does one that is
    refused because of how the prescription stands. What is not seen is nobody's."""
    refused = done if isinstance(done, Refused) else None
    if refused is not None and refused.problem is PRESCRIPTION_NOT_FOUND:
        return done
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        tag,
        purpose=access.purpose,
        outcome="ok" if refused is None else "refused",
        reason=None if refused is None else refused.problem.code,
        request_id=call.request_id,
        now=call.now,
    )
    return done


handlers: list[Any] = [
    send_prescription,
    withdraw_prescription,
    look_up_prescription,
    dispense_prescription,
    take_back_dispense,
]
