"""What operators answer: requests about people's own data with their terms, and breaches with their clock."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.citizen.rights import RightsRequestView, view_of
from api.request import Call, answer
from consent.rights import breaches, service
from consent.rights.models import Breach, NewBreach
from consent.rights.problems import (
    BREACH_NOT_TOLD,
    RIGHTS_REQUEST_OVER,
    SETTLES_ITSELF,
    UNKNOWN_BREACH,
    UNKNOWN_RIGHTS_REQUEST,
)
from consent.rights.service import Step
from kernel.problems import Refused

TAGS = ["rights"]
LATE = QueryParameter(name="late", description="Only what is past a term.")
AFTER = QueryParameter(name="after", description="The last person of the page before.")


class PersonsRequest(Struct, kw_only=True):
    patient_id: UUID
    late: bool
    request: RightsRequestView


class PersonsRequests(Struct, kw_only=True):
    """By person; the next page begins `after` the last one's patient_id."""

    items: Annotated[list[PersonsRequest], Meta(max_length=100)]


class RequestMove(Struct, kw_only=True, forbid_unknown_fields=True):
    """answer: the person was answered; extend: once, before the term is over, by fifteen days; finish: what
    was asked for is done; refuse: it will not be done, which the answer explained."""

    step: Step
    reason: Annotated[str, Meta(min_length=5, max_length=200)]


class BreachView(Struct, kw_only=True):
    """late: the authority is not told, or was told, after notify_by."""

    late: bool
    breach: Breach


class Breaches(Struct, kw_only=True):
    items: Annotated[list[BreachView], Meta(max_length=100)]


class AuthorityTold(Struct, kw_only=True, forbid_unknown_fields=True):
    reference: Annotated[str, Meta(min_length=1, max_length=200)]


class BreachClosed(Struct, kw_only=True, forbid_unknown_fields=True):
    """measures: all that was done, in words that name nobody; takes the place of what was recorded first."""

    measures: Annotated[str, Meta(min_length=10, max_length=2000)]


class PeopleTold(Struct, kw_only=True, forbid_unknown_fields=True):
    people: Annotated[list[UUID], Meta(min_length=1, max_length=breaches.PEOPLE_AT_ONCE)]


@get("/v1/admin/rights-requests", actors=("operator",), operation_id="list_running_rights", tags=TAGS)
async def list_running_rights(
    call: NamedDependency[Call],
    after: Annotated[UUID | None, AFTER] = None,
    late: Annotated[bool, LATE] = False,
) -> Response[PersonsRequests]:
    """What people asked about their data and nobody finished yet."""
    async with call.begin() as (tx, _):
        first = after or UUID(int=0)
        found = await (service.overdue(tx, first, call.now) if late else service.running(tx, first))
    items = [
        PersonsRequest(patient_id=one.patient_id, late=service.is_late(one, call.now), request=view_of(one))
        for one in found
    ]
    return answer(PersonsRequests(items=items))


@post(
    "/v1/admin/rights-requests/{patient_id:uuid}/{request_id:uuid}",
    status_code=200,
    actors=("operator",),
    operation_id="move_rights_request",
    tags=TAGS,
    problems=(UNKNOWN_RIGHTS_REQUEST, RIGHTS_REQUEST_OVER, SETTLES_ITSELF),
)
async def move_rights_request(
    patient_id: FromPath[UUID],
    request_id: FromPath[UUID],
    data: JSONBody[RequestMove],
    call: NamedDependency[Call],
) -> Response[RightsRequestView]:
    """Answer, extend or finish a request; the person is told."""
    async with call.begin() as (tx, actor):
        moved = await service.move_request(
            tx,
            actor,
            patient_id,
            request_id,
            data.step,
            data.reason,
            trace_id=call.request_id,
            now=call.now,
        )
    return answer(moved if isinstance(moved, Refused) else view_of(moved))


@post("/v1/admin/breaches", status_code=201, actors=("operator",), operation_id="record_breach", tags=TAGS)
async def record_breach(data: JSONBody[NewBreach], call: NamedDependency[Call]) -> Response[BreachView]:
    """Write a breach down; 72 hours run from when it was noticed."""
    async with call.begin() as (tx, actor):
        return answer(_view(await breaches.record(tx, actor, data, call.now), call.now))


@get("/v1/admin/breaches", actors=("operator",), operation_id="list_breaches", tags=TAGS)
async def list_breaches(call: NamedDependency[Call]) -> Response[Breaches]:
    """The breaches, newest first, and which are late."""
    async with call.begin() as (tx, _):
        found = await breaches.known(tx)
    return answer(Breaches(items=[_view(one, call.now) for one in found]))


@post(
    "/v1/admin/breaches/{breach_id:uuid}/authority",
    status_code=200,
    actors=("operator",),
    operation_id="tell_breach_to_authority",
    tags=TAGS,
    problems=(UNKNOWN_BREACH,),
)
async def tell_authority(
    breach_id: FromPath[UUID], data: JSONBody[AuthorityTold], call: NamedDependency[Call]
) -> Response[BreachView]:
    """The authority was told, with its receipt."""
    async with call.begin() as (tx, actor):
        told = await breaches.tell_authority(tx, actor, breach_id, data.reference, call.now)
    return answer(told if isinstance(told, Refused) else _view(told, call.now))


@post(
    "/v1/admin/breaches/{breach_id:uuid}/people",
    status_code=200,
    actors=("operator",),
    operation_id="tell_breach_to_people",
    tags=TAGS,
    problems=(UNKNOWN_BREACH,),
)
async def tell_people(
    breach_id: FromPath[UUID], data: JSONBody[PeopleTold], call: NamedDependency[Call]
) -> Response[BreachView]:
    """Tell people concerned in their inboxes, up to 500 at a time."""
    async with call.begin() as (tx, actor):
        told = await breaches.tell_people(tx, actor, breach_id, data.people, call.now)
    return answer(told if isinstance(told, Refused) else _view(told, call.now))


@post(
    "/v1/admin/breaches/{breach_id:uuid}/close",
    status_code=200,
    actors=("operator",),
    operation_id="close_breach",
    tags=TAGS,
    problems=(UNKNOWN_BREACH, BREACH_NOT_TOLD),
)
async def close_breach(
    breach_id: FromPath[UUID], data: JSONBody[BreachClosed], call: NamedDependency[Call]
) -> Response[BreachView]:
    """Close a breach that the authority was told of, with what was done about it."""
    async with call.begin() as (tx, actor):
        closed = await breaches.close(tx, actor, breach_id, data.measures, call.now)
    return answer(closed if isinstance(closed, Refused) else _view(closed, call.now))


def _view(breach: Breach, now: datetime) -> BreachView:
    return BreachView(late=breaches.is_late(breach, now), breach=breach)


handlers: list[Any] = [
    list_running_rights,
    move_rights_request,
    record_breach,
    list_breaches,
    tell_authority,
    tell_people,
    close_breach,
]
