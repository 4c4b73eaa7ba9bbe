"""What the person does with a grant in force: narrowing, renewing, taking many back at once."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, delete, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.citizen.grants import NONE_HELD, GrantView, SignedAct, environment_of, grant_view, signed_of
from api.citizen.requests import LabelName
from api.request import Call, answer
from consent import holds
from consent.delegations import service as delegations
from consent.grants import service as grants
from consent.grants.narrowing import narrow_grant
from consent.grants.policy import Narrower, RevokeBy
from consent.grants.renewal import Renewal, renew_grant
from consent.problems import (
    GRANT_NOT_RENEWABLE,
    NOTHING_GRANTED,
    SCOPE_EXCEEDS_GRANT,
    UNKNOWN_DELEGATION,
    UNKNOWN_GRANT,
)
from family.problems import GUARDIAN_NEEDED
from identity.problems import DEVICE_ON_PROBATION, STEP_UP_REFUSED
from kernel.access import Label, RecordType
from kernel.problems import Refused

TAGS = ["consent"]


class GrantNarrowing(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is left; null leaves a part as it is. Nothing can be made wider or later."""

    types: Annotated[list[RecordType], Meta(min_length=1, max_length=32)] | None = None
    since: date | None = None
    until: date | None = None
    labels: Annotated[list[LabelName], Meta(max_length=8)] | None = None
    ends_at: datetime | None = None


class GrantRenewal(Struct, kw_only=True, forbid_unknown_fields=True):
    """The new version, inside the grant in force; duration_seconds counts from now.

    The device signs JCS of: typ grant-renew, environment, patient_id, device_id, nonce, iat, exp, grant_id,
    version, doctor, licence, facility, purpose, types (sorted), since, until, duration_seconds.
    """

    types: Annotated[list[RecordType], Meta(min_length=1, max_length=32)]
    since: date | None
    until: date | None
    duration_seconds: Annotated[int, Meta(ge=60, le=7776000)]
    signed: SignedAct


class Revocation(Struct, kw_only=True, forbid_unknown_fields=True):
    """by: all, or every grant of the doctor or the facility of grant_id."""

    by: RevokeBy
    grant_id: UUID | None = None


@patch(
    "/v1/me/grants/{grant_id:uuid}",
    actors=("citizen",),
    operation_id="me_narrow_grant",
    any_app=True,
    tags=TAGS,
    problems=(UNKNOWN_GRANT, SCOPE_EXCEEDS_GRANT, NOTHING_GRANTED),
)
async def narrow(
    grant_id: FromPath[UUID], data: JSONBody[GrantNarrowing], call: NamedDependency[Call]
) -> Response[GrantView]:
    """Take parts out of a grant; the answer is the version in its place."""
    async with begin_for(call, "manage-grants") as (tx, access):
        outcome = await narrow_grant(
            tx, call.keys, access, grant_id, _narrower(data), trace_id=call.request_id, now=call.now
        )
        if isinstance(outcome, Refused):
            return answer(outcome)
        held = await holds.held_of(tx, [outcome], call.now)
    return answer(grant_view(outcome, call, held))


@post(
    "/v1/me/grants/{grant_id:uuid}/renew",
    actors=("citizen",),
    operation_id="me_renew_grant",
    tags=TAGS,
    status_code=201,
    problems=(
        UNKNOWN_GRANT,
        GRANT_NOT_RENEWABLE,
        SCOPE_EXCEEDS_GRANT,
        NOTHING_GRANTED,
        STEP_UP_REFUSED,
        GUARDIAN_NEEDED,
        DEVICE_ON_PROBATION,
    ),
)
async def renew(
    grant_id: FromPath[UUID], data: JSONBody[GrantRenewal], call: NamedDependency[Call]
) -> Response[GrantView]:
    """Agree again to a grant in force, without a new visit."""
    async with begin_for(call, "confirm-grants") as (tx, access):
        outcome = await renew_grant(
            tx,
            call.keys,
            access,
            grant_id,
            _renewal(data),
            environment=environment_of(call),
            trace_id=call.request_id,
            now=call.now,
        )
    return answer(
        outcome if isinstance(outcome, Refused) else grant_view(outcome, call, NONE_HELD), status=201
    )


@post(
    "/v1/me/grants/revoke",
    actors=("citizen",),
    operation_id="me_revoke_grants",
    any_app=True,
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_GRANT,),
)
async def revoke_many(data: JSONBody[Revocation], call: NamedDependency[Call]) -> Response[None]:
    """Take back all grants, or all of one doctor or facility."""
    async with begin_for(call, "manage-grants") as (tx, access):
        outcome = await grants.revoke_many(
            tx, access, data.grant_id, data.by, trace_id=call.request_id, now=call.now
        )
    return answer(outcome)


@delete(
    "/v1/me/delegations/{delegation_id:uuid}",
    actors=("citizen",),
    operation_id="me_end_delegation",
    any_app=True,
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_DELEGATION,),
)
async def end_delegation(delegation_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """End what a doctor handed to a nurse; the doctor's own grant goes on."""
    async with begin_for(call, "manage-grants") as (tx, access):
        outcome = await delegations.end_by_person(
            tx, access, delegation_id, trace_id=call.request_id, now=call.now
        )
    return answer(outcome)


def _narrower(data: GrantNarrowing) -> Narrower:
    labels = None if data.labels is None else Label.NONE
    for name in data.labels or ():
        labels = (labels or Label.NONE) | Label[name]
    return Narrower(
        types=None if data.types is None else frozenset(data.types),
        since=data.since,
        until=data.until,
        labels=labels,
        ends_at=data.ends_at,
    )


def _renewal(data: GrantRenewal) -> Renewal:
    return Renewal(
        types=frozenset(data.types),
        since=data.since,
        until=data.until,
        duration_seconds=data.duration_seconds,
        signed=signed_of(data.signed),
    )


handlers: list[Any] = [narrow, renew, revoke_many, end_delegation]
