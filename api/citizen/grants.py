"""The citizen's side of grants: every one with its way back."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.acting import begin_for
from api.request import Call, answer
from consent import holds
from consent.approval import Signed
from consent.artefact import label_names
from consent.grants import service as grants
from consent.grants.policy import state_of
from consent.models import EndReason, Grant, GrantState, Tier
from consent.problems import UNKNOWN_GRANT
from family.problems import GUARDIAN_NEEDED
from identity.problems import DEVICE_ON_PROBATION, STEP_UP_REFUSED
from kernel.access import RecordType
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, PAGE_MAX, decode_cursor, encode_cursor
from kernel.problems import Refused

TAGS = ["consent"]
Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX)]
Cursor = Annotated[str | None, QueryParameter(max_length=200)]
EpochSeconds = Annotated[int, Meta(ge=0, le=4102444800)]
Base64Url = Annotated[str, Meta(min_length=1, max_length=8192)]
# Nothing is held of what was agreed in this very request.
NONE_HELD: frozenset[UUID] = frozenset()


class SignedAct(Struct, kw_only=True, forbid_unknown_fields=True):
    """What the device put into the signed text, and its signature.

    nonce: drawn for this act alone, 16 random bytes or more in base64url. iat, exp: seconds since 1970, at
    most 300 apart. signature: by the step-up key over that text, in base64url."""

    nonce: Annotated[str, Meta(min_length=22, max_length=128)]
    iat: EpochSeconds
    exp: EpochSeconds
    signature: Base64Url


class GrantView(Struct, kw_only=True):
    """One grant. live: in force or about to start; it ends at ends_at or when taken back.

    held: the practitioner's password was replaced after this was agreed; it opens nothing until confirmed.
    state: live, not-yet, held, or how it ended: expired by itself, revoked by the person, given-back by the
    practitioner, narrowed or superseded by the version after it. narrowed_at: when this version
    came out of the wider one before.

    supersedes: the version before it, if any. licence: number of the licence to practise. tier: the way it
    was agreed. presence: whether the person had checked in there. since, until: of which days' entries; null
    for no end. types: kinds of entries. labels: sensitive ones that are let in.
    """

    grant_id: UUID
    version: int
    supersedes: UUID | None
    doctor: str
    licence: str
    facility: str
    purpose: str
    tier: Tier
    presence: bool
    types: list[RecordType]
    since: date | None
    until: date | None
    labels: list[str]
    created_at: datetime
    starts_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    end_reason: EndReason | None
    live: bool
    confirmed_at: datetime | None
    narrowed_at: datetime | None
    held: bool
    state: GrantState


class GrantConfirmation(Struct, kw_only=True, forbid_unknown_fields=True):
    """The device signs JCS of: typ consent-confirm, environment, patient_id, device_id, nonce, iat, exp,
    grant_id, version, doctor, licence, facility, types (sorted), labels, since, until, ends (in seconds)."""

    signed: SignedAct


class Grants(Struct, kw_only=True):
    """A page of grants; next opens the one after."""

    items: list[GrantView]
    next: str | None


class GrantWithProof(Struct, kw_only=True):
    """A grant with its signed artefact (compact JWS) and its FHIR R4 Consent (JSON text)."""

    grant: GrantView
    artefact: str
    fhir_consent: str


@get(
    "/v1/me/grants",
    actors=("citizen",),
    operation_id="me_grants",
    any_app=True,
    tags=TAGS,
    problems=(BAD_CURSOR,),
)
async def list_grants(
    call: NamedDependency[Call], limit: Limit = PAGE_DEFAULT, cursor: Cursor = None
) -> Response[Grants]:
    """All grants, live and past, newest first."""
    before = decode_cursor(cursor, tuple[UUID])[0] if cursor else None
    async with begin_for(call, "guard-grants") as (tx, access):
        found = await grants.grants_of_person(tx, access.patient_id, before, limit + 1)
        held = await holds.held_of(tx, found[:limit], call.now)
    return answer(
        Grants(
            items=[grant_view(one, call, held) for one in found[:limit]],
            next=encode_cursor(str(found[limit - 1].grant_id)) if len(found) > limit else None,
        )
    )


@get(
    "/v1/me/grants/{grant_id:uuid}",
    actors=("citizen",),
    operation_id="me_grant",
    any_app=True,
    tags=TAGS,
    problems=(UNKNOWN_GRANT,),
)
async def one_grant(grant_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[GrantWithProof]:
    """One grant with its proof."""
    async with begin_for(call, "guard-grants") as (tx, access):
        grant = await grants.grant_of_person(tx, access.patient_id, grant_id)
        proof = await grants.proof_of_grant(tx, access.patient_id, grant_id, call.now)
        if isinstance(grant, Refused) or isinstance(proof, Refused):
            return answer(Refused(problem=UNKNOWN_GRANT))
        view = grant_view(grant, call, await holds.held_of(tx, [grant], call.now))
    return answer(GrantWithProof(grant=view, artefact=proof.artefact, fhir_consent=proof.fhir_consent))


@post(
    "/v1/me/grants/{grant_id:uuid}/confirm",
    actors=("citizen",),
    operation_id="me_confirm_grant",
    tags=TAGS,
    status_code=200,
    problems=(UNKNOWN_GRANT, STEP_UP_REFUSED, GUARDIAN_NEEDED, DEVICE_ON_PROBATION),
)
async def confirm(
    grant_id: FromPath[UUID], data: JSONBody[GrantConfirmation], call: NamedDependency[Call]
) -> Response[GrantView]:
    """Let a held grant stand."""
    async with begin_for(call, "confirm-grants") as (tx, access):
        outcome = await holds.confirm_grant(
            tx,
            access,
            grant_id,
            signed_of(data.signed),
            environment=environment_of(call),
            trace_id=call.request_id,
            now=call.now,
        )
    return answer(outcome if isinstance(outcome, Refused) else grant_view(outcome, call, NONE_HELD))


@delete(
    "/v1/me/grants/{grant_id:uuid}",
    actors=("citizen",),
    operation_id="me_revoke_grant",
    any_app=True,
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_GRANT,),
)
async def revoke(grant_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Take a grant back; the doctor's next request is refused."""
    async with begin_for(call, "guard-grants") as (tx, access):
        outcome = await grants.revoke_grant(tx, access, grant_id, trace_id=call.request_id, now=call.now)
    return answer(outcome)


def environment_of(call: Call) -> str:
    """The word in every signed text that keeps a signature of the demo out of a real installation."""
    return "demo" if call.demo else "production"


def signed_of(act: SignedAct) -> Signed:
    return Signed(nonce=act.nonce, iat=act.iat, exp=act.exp, signature=act.signature)


def grant_view(grant: Grant, call: Call, held: frozenset[UUID]) -> GrantView:
    return GrantView(
        grant_id=grant.grant_id,
        version=grant.version,
        supersedes=grant.supersedes,
        doctor=grant.practitioner_name,
        licence=grant.licence,
        facility=grant.facility_name,
        purpose=grant.purpose,
        tier=grant.tier,
        presence=grant.presence,
        types=grant.types,
        since=grant.since,
        until=grant.until,
        labels=label_names(grant.labels),
        created_at=grant.created_at,
        starts_at=grant.starts_at,
        ends_at=grant.ends_at,
        ended_at=grant.ended_at,
        end_reason=grant.end_reason,
        live=grant.ended_at is None and call.now < grant.ends_at,
        confirmed_at=grant.confirmed_at,
        narrowed_at=grant.narrowed_at,
        held=grant.grant_id in held,
        state=state_of(grant, held=grant.grant_id in held, now=call.now),
    )


handlers: list[Any] = [list_grants, one_grant, confirm, revoke]
