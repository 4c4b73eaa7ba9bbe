"""The citizen's side of requests: who asks, and the answer."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.citizen.grants import NONE_HELD, GrantView, SignedAct, environment_of, grant_view, signed_of
from api.facility.desk import QrText
from api.request import Call, answer
from consent import approval
from consent.approval import Approval
from consent.artefact import label_names
from consent.blocks.service import blocked_of
from consent.models import AccessRequest, Tier
from consent.policy import cap_for
from consent.problems import (
    CHALLENGE_DEAD,
    NOTHING_GRANTED,
    OTP_INVALID,
    REQUEST_DECIDED,
    REQUEST_EXPIRED,
    REQUESTER_BLOCKED,
    SCOPE_EXCEEDS_REQUEST,
    UNKNOWN_REQUEST,
)
from consent.requests import service as requests
from consent.transfer import read_scan
from family.problems import GUARDIAN_NEEDED
from identity.problems import STEP_UP_REFUSED
from kernel.access import Actor, Label, RecordType, Role
from kernel.problems import Refused
from qr.draw import svg
from qr.problems import CODE_PROBLEMS
from visits.identification import draw_code

TAGS = ["consent"]
LabelName = Literal["HIV", "ETH", "PSY", "SEX", "STD", "SDV", "GDIS", "RESTRICTED"]


class IdentificationQr(Struct, kw_only=True):
    """A code that says who this is, for 60 seconds; it grants nothing. svg: the code, drawn."""

    qr: str
    svg: str
    expires_at: datetime


class TierCap(Struct, kw_only=True):
    """What a way of answering allows at most. history_months: how far back; null for the whole history.
    labels_allowed: whether sensitive labels can be ticked."""

    tier: Tier
    duration_seconds: int
    history_months: int | None
    labels_allowed: bool


class AccessRequestView(Struct, kw_only=True):
    """Who asks for what. doctor, licence, facility and purpose stand in the signed text as they are here.

    licence: number of the licence to practise. types: kinds of entries that are asked for. since, until: of
    which days' entries; null for no end. presence: false where the person did not check in there in the last
    12 hours; show a warning. blocked: the person blocks this practitioner or facility; it is answered once
    the block is lifted. caps: what each way of answering allows at most. labels_left_out: sensitive labels,
    which stay out unless they are ticked. environment: goes into the signed text.
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
    blocked: bool
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


class LabelAct(Struct, kw_only=True, forbid_unknown_fields=True):
    """One sensitive label with its own signature (tier A)."""

    label: LabelName
    signed: SignedAct


class AccessApproval(Struct, kw_only=True, forbid_unknown_fields=True):
    """The answer, as narrow as the person wants. secret: the scanned nonce (A) or the six digits (B).

    The device signs JCS of: typ consent-approve, environment, patient_id, device_id, nonce, iat, exp,
    request_id, tier, secret, doctor, licence, facility, purpose, types (sorted), since, until,
    duration_seconds, labels (in the order of the schema). Who answers for another signs with patient_id and
    device_id of the own device, and book (that person) and assent besides.

    types: kinds of entries, of those that are asked for. since, until: of which days' entries; null for no
    end. labels: sensitive ones that are ticked. label_signatures: with tier A each of them is signed for by
    itself. assent: a guardian says that a child from 7 agrees; without any such word the answer is cut to
    tier D.
    """

    tier: Literal["A", "B"]
    secret: Annotated[str, Meta(min_length=1, max_length=64)]
    types: Annotated[list[RecordType], Meta(min_length=1, max_length=32)]
    since: date | None
    until: date | None
    duration_seconds: Annotated[int, Meta(ge=60, le=7776000)]
    labels: Annotated[list[LabelName], Meta(max_length=8)] = []
    label_signatures: Annotated[list[LabelAct], Meta(max_length=8)] = []
    assent: bool = False
    signed: SignedAct


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
    any_app=True,
    tags=TAGS,
    problems=(),
)
async def list_requests(call: NamedDependency[Call]) -> Response[AccessRequests]:
    """Requests that wait for an answer, newest first."""
    async with begin_for(call, "guard-grants") as (tx, access):
        found = await requests.open_requests(tx, access.patient_id, call.now)
        shut_out = await blocked_of(tx, access.patient_id, found)
    views = [_request_view(one, call, access.actor, shut_out) for one in found]
    return answer(AccessRequests(items=views, next=None))


@get(
    "/v1/me/access-requests/{request_id:uuid}",
    actors=("citizen",),
    operation_id="me_access_request",
    tags=TAGS,
    problems=(UNKNOWN_REQUEST, REQUEST_DECIDED, REQUEST_EXPIRED),
)
async def one_request(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[AccessRequestView]:
    """One request: who asks for what."""
    async with begin_for(call, "answer-request") as (tx, access):
        found = await requests.request_for_citizen(tx, access.patient_id, request_id, call.now)
        if isinstance(found, Refused):
            return answer(found)
        shut_out = await blocked_of(tx, access.patient_id, [found])
    return answer(_request_view(found, call, access.actor, shut_out))


@post(
    "/v1/me/access-requests/scan",
    actors=("citizen",),
    operation_id="me_scan_request",
    tags=TAGS,
    status_code=200,
    problems=(UNKNOWN_REQUEST, REQUEST_DECIDED, REQUEST_EXPIRED, *CODE_PROBLEMS),
)
async def scan(data: JSONBody[ScannedQr], call: NamedDependency[Call]) -> Response[ScannedRequest]:
    """The request behind the code on the doctor's screen."""
    async with begin_for(call, "answer-request") as (tx, access):
        scanned = read_scan(call.keys, data.qr, call.now)
        if isinstance(scanned, Refused):
            return answer(scanned)
        found = await requests.request_for_citizen(tx, access.patient_id, scanned.request_id, call.now)
        if isinstance(found, Refused):
            return answer(found)
        shut_out = await blocked_of(tx, access.patient_id, [found])
    view = _request_view(found, call, access.actor, shut_out)
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
        REQUESTER_BLOCKED,
        STEP_UP_REFUSED,
        SCOPE_EXCEEDS_REQUEST,
        NOTHING_GRANTED,
        OTP_INVALID,
        CHALLENGE_DEAD,
        GUARDIAN_NEEDED,
    ),
)
async def approve(
    request_id: FromPath[UUID], data: JSONBody[AccessApproval], call: NamedDependency[Call]
) -> Response[GrantView]:
    """Allow what was asked, or less of it."""
    async with begin_for(call, "answer-request") as (tx, access):
        outcome = await approval.approve(
            tx,
            call.keys,
            access,
            request_id,
            _approval(data),
            environment=environment_of(call),
            trace_id=call.request_id,
            now=call.now,
        )
    return answer(
        outcome if isinstance(outcome, Refused) else grant_view(outcome, call, NONE_HELD), status=201
    )


@post(
    "/v1/me/access-requests/{request_id:uuid}/refuse",
    actors=("citizen",),
    operation_id="me_refuse_request",
    any_app=True,
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_REQUEST, REQUEST_DECIDED, REQUEST_EXPIRED),
)
async def refuse(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Refuse a request; the asking side is not told."""
    async with begin_for(call, "answer-request") as (tx, access):
        outcome = await requests.refuse_request(
            tx, access, request_id, trace_id=call.request_id, now=call.now
        )
    return answer(outcome)


@post(
    "/v1/me/access-requests/{request_id:uuid}/not-me",
    actors=("citizen",),
    operation_id="me_report_request",
    any_app=True,
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_REQUEST, REQUEST_DECIDED, REQUEST_EXPIRED),
)
async def not_me(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Report a request that has nothing to do with me."""
    async with begin_for(call, "guard-grants") as (tx, access):
        outcome = await requests.report_request(
            tx, access, request_id, trace_id=call.request_id, now=call.now
        )
    return answer(outcome)


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
        signed=signed_of(data.signed),
        label_signatures={one.label: signed_of(one.signed) for one in data.label_signatures},
        assent=data.assent,
    )


def _request_view(
    request: AccessRequest, call: Call, actor: Actor, blocked: frozenset[UUID]
) -> AccessRequestView:
    tiers: tuple[Tier, ...] = ("A", "B", "C", "D")
    caps = [(tier, cap_for(tier, presence=request.presence, probation=actor.probation)) for tier in tiers]
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
        blocked=bool(blocked & {request.practitioner_id, request.facility_id}),
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
        environment=environment_of(call),
        created_at=request.created_at,
        expires_at=request.expires_at,
    )


handlers: list[Any] = [identification_qr, list_requests, one_request, scan, approve, refuse, not_me]
