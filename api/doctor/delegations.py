"""A doctor hands a part of a grant to a nurse of the same facility."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, delete, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.request import Call, answer
from consent.delegations import service as delegations
from consent.delegations.queries import Delegation
from consent.problems import (
    COLLEAGUE_UNKNOWN,
    DELEGATIONS_FULL,
    NO_ACCESS,
    NOTHING_GRANTED,
    UNKNOWN_DELEGATION,
)
from kernel.access import RecordType
from kernel.problems import Refused

TAGS = ["access-requests"]


class NewDelegation(Struct, kw_only=True, forbid_unknown_fields=True):
    """licence: of a nurse who works here. types: null hands over all that the nurse's role may see of it."""

    licence: Annotated[str, Meta(min_length=1, max_length=40)]
    types: Annotated[list[RecordType], Meta(min_length=1, max_length=32)] | None = None


class DelegationMade(Struct, kw_only=True):
    """It ends with the grant. A second one for the same nurse takes the place of the first."""

    delegation_id: UUID
    nurse: str
    types: list[RecordType]
    created_at: datetime


def delegation_made(one: Delegation) -> DelegationMade:
    """As the doctor who handed it on sees it."""
    return DelegationMade(
        delegation_id=one.delegation_id,
        nurse=one.practitioner_name,
        types=one.types,
        created_at=one.created_at,
    )


@post(
    "/v1/doctor/patients/{patient_id:uuid}/delegations",
    actors=("doctor",),
    operation_id="doctor_delegate",
    tags=TAGS,
    status_code=201,
    problems=(NO_ACCESS, COLLEAGUE_UNKNOWN, NOTHING_GRANTED, DELEGATIONS_FULL),
)
async def delegate(
    patient_id: FromPath[UUID], data: JSONBody[NewDelegation], call: NamedDependency[Call]
) -> Response[DelegationMade]:
    """Let a nurse read a part of what this doctor may read."""
    types = None if data.types is None else frozenset(data.types)
    async with call.begin() as (tx, actor):
        made = await delegations.delegate(
            tx, actor, patient_id, data.licence, types, trace_id=call.request_id, now=call.now
        )
    if isinstance(made, Refused):
        return answer(made)
    return answer(delegation_made(made), status=201)


@delete(
    "/v1/doctor/patients/{patient_id:uuid}/delegations/{delegation_id:uuid}",
    actors=("doctor",),
    operation_id="doctor_end_delegation",
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_DELEGATION,),
)
async def end(
    patient_id: FromPath[UUID], delegation_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[None]:
    """End what was handed to a nurse; the nurse's next request is refused."""
    async with call.begin() as (tx, actor):
        outcome = await delegations.end_by_doctor(
            tx, actor, patient_id, delegation_id, trace_id=call.request_id, now=call.now
        )
    return answer(outcome)


handlers: list[Any] = [delegate, end]
