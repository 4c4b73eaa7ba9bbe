"""For people at risk: what a clinician keeps from the family, and a child's word (security.md S23)."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.citizen.visit_safety import log_kept
from api.exporting import decided
from api.request import Answer, Call, answer
from audit.service import record_act
from consent import relatives
from consent.problems import NO_ACCESS, UNKNOWN_REQUEST
from ehr.visibility import hidings
from ehr.visibility.models import FAMILY, HidableType
from ehr.visibility.problems import NOT_IN_BOOK, TOO_MANY_HIDINGS
from identity.problems import TOO_MANY
from kernel.access import Access
from kernel.problems import Refused
from store.database import Tx
from visits.problems import NOT_AT_A_FACILITY
from visits.safety import service as visits
from visits.safety.models import Ground
from visits.safety.problems import TOO_MANY_KEPT, VISIT_UNKNOWN

TAGS = ["safety"]
CLINICIANS = ("doctor", "nurse")


class SafetyFlag(Struct, kw_only=True, forbid_unknown_fields=True):
    """The entry that guardians and proxies must not see; all that tells of it goes along."""

    kind: HidableType
    id: Annotated[str, Meta(min_length=1, max_length=128)]


class VisitFlag(Struct, kw_only=True, forbid_unknown_fields=True):
    """item_id: a check-in's or an appointment's; null for all that the person has at this facility today.
    ground: why; it leaves in no answer."""

    ground: Ground
    item_id: UUID | None = None


@post(
    "/v1/doctor/patients/{patient_id:uuid}/safety-flags",
    status_code=204,
    actors=CLINICIANS,
    operation_id="flag_for_safety",
    tags=TAGS,
    problems=(NO_ACCESS, NOT_IN_BOOK, TOO_MANY_HIDINGS, TOO_MANY),
)
async def flag(
    patient_id: FromPath[UUID], data: JSONBody[SafetyFlag], call: NamedDependency[Call]
) -> Response[None]:
    """Keep an entry from the family, whatever the person's age. Nobody of the family is told."""
    async with call.begin() as (tx, actor):
        access = await decided(tx, call, actor, patient_id, "flag-safety", "safety")
        if isinstance(access, Answer):
            return access
        return answer(await _flag(tx, call, access, data))


@post(
    "/v1/doctor/patients/{patient_id:uuid}/visit-flags",
    status_code=204,
    actors=CLINICIANS,
    operation_id="flag_visit_for_safety",
    tags=TAGS,
    problems=(NO_ACCESS, NOT_AT_A_FACILITY, VISIT_UNKNOWN, TOO_MANY_KEPT, TOO_MANY),
)
async def flag_visit(
    patient_id: FromPath[UUID], data: JSONBody[VisitFlag], call: NamedDependency[Call]
) -> Response[None]:
    """Keep a check-in or an appointment from the family, whatever the person's age. Nobody is told."""
    async with call.begin() as (tx, actor):
        access = await decided(tx, call, actor, patient_id, "flag-safety", "safety")
        if isinstance(access, Answer):
            return access
        refused = await _flag_visit(tx, call, access, data)
        if refused is None:
            await log_kept(tx, call, access, "visit:safety:flag")
    return answer(refused)


@post(
    "/v1/doctor/access-requests/{request_id:uuid}/assent",
    status_code=204,
    actors=("doctor", "pharmacist", "vaccinator", "nurse"),
    operation_id="attest_assent",
    tags=TAGS,
    problems=(UNKNOWN_REQUEST,),
)
async def attest(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Say that the child who was asked agrees; the guardian still answers."""
    async with call.begin() as (tx, actor):
        done = await relatives.attest_assent(tx, actor, request_id, trace_id=call.request_id, now=call.now)
    return answer(done)


async def _flag_visit(tx: Tx, call: Call, access: Access, data: VisitFlag) -> Refused | None:
    if data.item_id is not None:
        return await visits.keep(tx, access, data.item_id, data.ground, call.now)
    if access.actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    return await visits.keep_here(tx, access, access.actor.facility_id, data.ground, call.now)


async def _flag(tx: Tx, call: Call, access: Access, data: SafetyFlag) -> Refused | None:
    made = await hidings.hide(tx, access, data.kind, data.id, reader=FAMILY, reader_name=None, now=call.now)
    if isinstance(made, Refused):
        return made
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        "record:safety:flag",
        resources=[(made.rtype, made.id)],
        grant_id=access.basis_id,
        grant_version=access.basis_version,
        request_id=call.request_id,
        now=call.now,
    )
    return None


handlers: list[Any] = [flag, flag_visit, attest]
