"""The citizen's side: who asks, the answer, and every grant with its way back."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.acting import begin_for
from api.facility.desk import SCAN_PROBLEMS, QrText
from api.request import Call, answer
from consent import approval, holds
from consent.approval import Approval, Signed
from consent.artefact import label_names
from consent.grants import service as grants
from consent.models import AccessRequest, EndReason, Grant, Tier
from consent.policy import cap_for
from consent.problems import (
    CHALLENGE_DEAD,
    NOTHING_GRANTED,
    OTP_INVALID,
    REQUEST_DECIDED,
    REQUEST_EXPIRED,
    SCOPE_EXCEEDS_REQUEST,
    UNKNOWN_GRANT,
    UNKNOWN_REQUEST,
)
from consent.requests import service as requests
from consent.transfer import read_scan
from identity.problems import DEVICE_ON_PROBATION, STEP_UP_REFUSED
from kernel.access import Label, RecordType, Role
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, PAGE_MAX, decode_cursor, encode_cursor
from kernel.problems import Refused
from qr.draw import svg
from visits.identification import draw_code

TAGS = ["consent"]
LabelName = Literal["HIV", "ETH", "PSY", "SEX", "STD", "SDV", "GDIS", "RESTRICTED"]
Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX)]
Cursor = Annotated[str | None, QueryParameter(max_length=200)]
EpochSeconds = Annotated[int, Meta(ge=0, le=4102444800)]
Base64Url = Annotated[str, Meta(min_length=1, max_length=8192)]
# Nothing is held of what was agreed in this very request.
NONE: frozenset[UUID] = frozenset()


class IdentificationQr(Struct, kw_only=True):
    """A code that says who this is, for 60 seconds; it grants nothing. svg: the code, drawn."""

    qr: str
    svg: str
    expires_at: datetime


class TierCap(Struct, kw_only=True):
    """What a way of answering allows at most. history_months null: the whole history."""

    tier: Tier
    duration_seconds: int
    history_months: int | None
    labels_allowed: bool


class AccessRequestView(Struct, kw_only=True):
    """Who asks for what. doctor, licence, facility and purpose stand in the signed text as they are here.

    presence false: the person did not check in there in the last 12 hours; show a warning.
    """

    request_id: UUID
    doctor: str
    licence: str
    role: Role
    facility: str
    purpose: str
    types: list[RecordType]
    since: date | None
    until: date | None
    duration_seconds: int
    presence: bool
    caps: list[TierCap]
    labels_left_out: list[str]
    environment: str
    created_at: datetime
    expires_at: datetime


class AccessRequests(Struct, kw_only=True):
    """All requests that wait for an answer."""

    items: list[AccessRequestView]
    next: str | None


class ScannedQr(Struct, kw_only=True, forbid_unknown_fields=True):
    """qr: the text of the doctor's code, as scanned."""

    qr: QrText


class ScannedRequest(Struct, kw_only=True):
    """The request behind a scanned code; nonce is the secret of a tier A approval."""

    request: AccessRequestView
    nonce: str


class SignedAct(Struct, kw_only=True, forbid_unknown_fields=True):
    """What the device put into the signed text (nonce, iat, exp) and its signature."""

    nonce: Annotated[str, Meta(min_length=22, max_length=128)]
    iat: EpochSeconds
    exp: EpochSeconds
    signature: Base64Url


class LabelAct(Struct, kw_only=True, forbid_unknown_fields=True):
    """One sensitive label with its own signature (tier A)."""

    label: LabelName
    signed: SignedAct


class AccessApproval(Struct, kw_only=True, forbid_unknown_fields=True):
    """The answer, as narrow as the person wants. secret: the scanned nonce (A) or the six digits (B).

    The device signs JCS of: typ consent-approve, environment, patient_id, device_id, nonce, iat, exp,
    request_id, tier, secret, doctor, licence, facility, purpose, types (sorted), since, until,
    duration_seconds, labels (in the order of the schema).
    """

    tier: Literal["A", "B"]
    secret: Annotated[str, Meta(min_length=1, max_length=64)]
    types: Annotated[list[RecordType], Meta(min_length=1, max_length=32)]
    since: date | None
    until: date | None
    duration_seconds: Annotated[int, Meta(ge=60, le=7776000)]
    labels: Annotated[list[LabelName], Meta(max_length=8)] = []
    label_signatures: Annotated[list[LabelAct], Meta(max_length=8)] = []
    signed: SignedAct


class GrantView(Struct, kw_only=True):
    """One grant. live: in force or about to start; it ends at ends_at or when taken back.

    held: the practitioner's password was replaced after this was agreed; it opens nothing until confirmed.
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
    held: bool


class GrantConfirmation(Struct, kw_only=True, forbid_unknown_fields=True):
    """The device signs JCS of: typ consent-confirm, environment, patient_id, device_id, nonce, iat, exp,
    grant_id, doctor, licence, facility."""

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
    "/v1/me/identification-qr",
    actors=("citizen",),
    operation_id="me_identification_qr",
    tags=TAGS,
    problems=(),
)
async def identification_qr(call: NamedDependency[Call]) -> Response[IdentificationQr]:
    """A fresh code that says who this is."""
    async with begin_for(call, "identify") as (_, access):
        code = draw_code(call.keys, access.patient_id, call.now)
    return answer(IdentificationQr(qr=code.qr, svg=svg(code.qr), expires_at=code.expires_at))


@get(
    "/v1/me/access-requests",
    actors=("citizen",),
    operation_id="me_access_requests",
    tags=TAGS,
    problems=(),
)
async def list_requests(call: NamedDependency[Call]) -> Response[AccessRequests]:
    """Requests that wait for an answer, newest first."""
    async with begin_for(call, "manage-grants") as (tx, access):
        found = await requests.open_requests(tx, access.patient_id, call.now)
    views = [_request_view(one, call, probation=access.actor.probation) for one in found]
    return answer(AccessRequests(items=views, next=None))


@get(
    "/v1/me/access-requests/{request_id:uuid}",
    actors=("citizen",),
    operation_id="me_access_request",
    tags=TAGS,
    problems=(UNKNOWN_REQUEST, REQUEST_DECIDED, REQUEST_EXPIRED),
)
async def one_request(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[AccessRequestView]:
    """Who asks for what."""
    async with begin_for(call, "manage-grants") as (tx, access):
        found = await requests.request_for_citizen(tx, access.patient_id, request_id, call.now)
    if isinstance(found, Refused):
        return answer(found)
    return answer(_request_view(found, call, probation=access.actor.probation))


@post(
    "/v1/me/access-requests/scan",
    actors=("citizen",),
    operation_id="me_scan_request",
    tags=TAGS,
    status_code=200,
    problems=(UNKNOWN_REQUEST, REQUEST_DECIDED, REQUEST_EXPIRED, *SCAN_PROBLEMS),
)
async def scan(data: JSONBody[ScannedQr], call: NamedDependency[Call]) -> Response[ScannedRequest]:
    """The request behind the code on the doctor's screen."""
    async with begin_for(call, "manage-grants") as (tx, access):
        scanned = read_scan(call.keys, data.qr, call.now)
        if isinstance(scanned, Refused):
            return answer(scanned)
        found = await requests.request_for_citizen(tx, access.patient_id, scanned.request_id, call.now)
    if isinstance(found, Refused):
        return answer(found)
    view = _request_view(found, call, probation=access.actor.probation)
    return answer(ScannedRequest(request=view, nonce=scanned.nonce))


@post(
    "/v1/me/access-requests/{request_id:uuid}/approve",
    actors=("citizen",),
    operation_id="me_approve_request",
    tags=TAGS,
    status_code=201,
    problems=(
        UNKNOWN_REQUEST,
        REQUEST_DECIDED,
        REQUEST_EXPIRED,
        STEP_UP_REFUSED,
        SCOPE_EXCEEDS_REQUEST,
        NOTHING_GRANTED,
        OTP_INVALID,
        CHALLENGE_DEAD,
    ),
)
async def approve(
    request_id: FromPath[UUID], data: JSONBody[AccessApproval], call: NamedDependency[Call]
) -> Response[GrantView]:
    """Allow what was asked, or less of it."""
    async with begin_for(call, "manage-grants") as (tx, access):
        outcome = await approval.approve(
            tx,
            call.keys,
            access,
            request_id,
            _approval(data),
            environment=_environment(call),
            trace_id=call.request_id,
            now=call.now,
        )
    return answer(outcome if isinstance(outcome, Refused) else _grant_view(outcome, call, NONE), status=201)


@post(
    "/v1/me/access-requests/{request_id:uuid}/refuse",
    actors=("citizen",),
    operation_id="me_refuse_request",
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_REQUEST, REQUEST_DECIDED, REQUEST_EXPIRED),
)
async def refuse(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Say no; the asking side is not told."""
    async with begin_for(call, "manage-grants") as (tx, access):
        outcome = await requests.refuse_request(
            tx, access, request_id, trace_id=call.request_id, now=call.now
        )
    return answer(outcome)


@post(
    "/v1/me/access-requests/{request_id:uuid}/not-me",
    actors=("citizen",),
    operation_id="me_report_request",
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_REQUEST, REQUEST_DECIDED, REQUEST_EXPIRED),
)
async def not_me(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Report a request that has nothing to do with me."""
    async with begin_for(call, "manage-grants") as (tx, access):
        outcome = await requests.report_request(
            tx, access, request_id, trace_id=call.request_id, now=call.now
        )
    return answer(outcome)


@get("/v1/me/grants", actors=("citizen",), operation_id="me_grants", tags=TAGS, problems=(BAD_CURSOR,))
async def list_grants(
    call: NamedDependency[Call], limit: Limit = PAGE_DEFAULT, cursor: Cursor = None
) -> Response[Grants]:
    """All grants, live and past, newest first."""
    before = decode_cursor(cursor, tuple[UUID])[0] if cursor else None
    async with begin_for(call, "manage-grants") as (tx, access):
        found = await grants.grants_of_person(tx, access.patient_id, before, limit + 1)
        held = await holds.held_of(tx, found[:limit], call.now)
    return answer(
        Grants(
            items=[_grant_view(one, call, held) for one in found[:limit]],
            next=encode_cursor(str(found[limit - 1].grant_id)) if len(found) > limit else None,
        )
    )


@get(
    "/v1/me/grants/{grant_id:uuid}",
    actors=("citizen",),
    operation_id="me_grant",
    tags=TAGS,
    problems=(UNKNOWN_GRANT,),
)
async def one_grant(grant_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[GrantWithProof]:
    """One grant with its proof."""
    async with begin_for(call, "manage-grants") as (tx, access):
        grant = await grants.grant_of_person(tx, access.patient_id, grant_id)
        proof = await grants.proof_of_grant(tx, access.patient_id, grant_id)
        if isinstance(grant, Refused) or isinstance(proof, Refused):
            return answer(Refused(problem=UNKNOWN_GRANT))
        view = _grant_view(grant, call, await holds.held_of(tx, [grant], call.now))
    return answer(GrantWithProof(grant=view, artefact=proof.artefact, fhir_consent=proof.fhir_consent))


@post(
    "/v1/me/grants/{grant_id:uuid}/confirm",
    actors=("citizen",),
    operation_id="me_confirm_grant",
    tags=TAGS,
    status_code=200,
    problems=(UNKNOWN_GRANT, STEP_UP_REFUSED, DEVICE_ON_PROBATION),
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
            _signed(data.signed),
            environment=_environment(call),
            trace_id=call.request_id,
            now=call.now,
        )
    return answer(outcome if isinstance(outcome, Refused) else _grant_view(outcome, call, NONE))


@delete(
    "/v1/me/grants/{grant_id:uuid}",
    actors=("citizen",),
    operation_id="me_revoke_grant",
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_GRANT,),
)
async def revoke(grant_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Take a grant back; the doctor's next request is refused."""
    async with begin_for(call, "manage-grants") as (tx, access):
        outcome = await grants.revoke_grant(tx, access, grant_id, trace_id=call.request_id, now=call.now)
    return answer(outcome)


def _environment(call: Call) -> str:
    """The word in every signed text that keeps a signature of the demo out of a real installation."""
    return "demo" if call.demo else "production"


def _approval(data: AccessApproval) -> Approval:
    labels = Label.NONE
    for name in data.labels:
        labels |= Label[name]
    return Approval(
        tier=data.tier,
        secret=data.secret,
        types=frozenset(data.types),
        since=data.since,
        until=data.until,
        duration_seconds=data.duration_seconds,
        labels=labels,
        signed=_signed(data.signed),
        label_signatures={one.label: _signed(one.signed) for one in data.label_signatures},
    )


def _signed(act: SignedAct) -> Signed:
    return Signed(nonce=act.nonce, iat=act.iat, exp=act.exp, signature=act.signature)


def _request_view(request: AccessRequest, call: Call, *, probation: bool) -> AccessRequestView:
    tiers: tuple[Tier, ...] = ("A", "B", "C", "D")
    caps = [(tier, cap_for(tier, presence=request.presence, probation=probation)) for tier in tiers]
    return AccessRequestView(
        request_id=request.request_id,
        doctor=request.practitioner_name,
        licence=request.licence,
        role=request.role,
        facility=request.facility_name,
        purpose=request.purpose,
        types=request.types,
        since=request.since,
        until=request.until,
        duration_seconds=request.duration_seconds,
        presence=request.presence,
        caps=[
            TierCap(
                tier=tier,
                duration_seconds=cap.duration_seconds,
                history_months=cap.history_months,
                labels_allowed=bool(cap.labels),
            )
            for tier, cap in caps
        ],
        labels_left_out=label_names(Label(255)),
        environment=_environment(call),
        created_at=request.created_at,
        expires_at=request.expires_at,
    )


def _grant_view(grant: Grant, call: Call, held: frozenset[UUID]) -> GrantView:
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
        held=grant.grant_id in held,
    )


handlers: list[Any] = [
    identification_qr,
    list_requests,
    one_request,
    scan,
    approve,
    refuse,
    not_me,
    list_grants,
    one_grant,
    confirm,
    revoke,
]
