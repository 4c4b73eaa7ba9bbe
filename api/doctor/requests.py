"""The asking side: a practitioner asks, shows the code, types the answer, and lists the own grants."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.doctor.delegations import DelegationMade, delegation_made
from api.idempotency import PROBLEMS, create_once
from api.request import Call, answer
from consent import approval
from consent.codes import service as codes
from consent.delegations.queries import Delegation
from consent.delegations.service import handed_on
from consent.grants import service as grants
from consent.models import AccessRequest, AskingState, Grant, PractitionerGrant
from consent.policy import DAY, DURATIONS
from consent.problems import (
    ACCESS_REQUEST_INVALID,
    CHALLENGE_DEAD,
    OTP_INVALID,
    REQUEST_EXPIRED,
    ROLE_MAY_NOT_ASK,
    UNKNOWN_GRANT,
    UNKNOWN_REQUEST,
)
from consent.requests import service as requests
from consent.requests.asking import Ask, Asked, request_access
from consent.transfer import Display
from identity import people
from identity.problems import TOO_MANY
from kernel.access import Actor, RecordType
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, PAGE_MAX, decode_cursor, encode_cursor
from kernel.problems import Refused
from qr.draw import png, svg
from qr.problems import CODE_PROBLEMS
from qr.tokens import TEXT_MAX
from store.database import Tx

TAGS = ["access-requests"]
ASKING = ("doctor", "pharmacist", "vaccinator", "nurse")
Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX)]
Cursor = Annotated[str | None, QueryParameter(max_length=200)]
OfPerson = Annotated[UUID | None, QueryParameter(name="patient_id", description="Only of this person.")]


class Subject(Struct, kw_only=True, forbid_unknown_fields=True):
    """Who is asked: a number of a card, or the scanned text of the person's identification code."""

    kind: Literal["national-id", "insurance", "citizen-qr"]
    value: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]


class NewAccessRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """types: null asks for the usual set of the role; since, until bound the record, not the grant.

    duration_seconds: 3600, 86400, 604800, 2592000 or 7776000.
    """

    subject: Subject
    purpose: Annotated[str, Meta(max_length=16)] = "TREAT"
    types: Annotated[list[RecordType], Meta(min_length=1, max_length=32)] | None = None
    since: date | None = None
    until: date | None = None
    duration_seconds: Annotated[int, Meta(ge=min(DURATIONS), le=max(DURATIONS))] = DAY


class AccessRequestDisplay(Struct, kw_only=True):
    """What the screen shows until redraw_at: the code's text and the six digits."""

    qr: str
    digits: str
    redraw_at: datetime


class AccessRequestOpened(Struct, kw_only=True):
    """The answer to every request, whoever was asked."""

    request_id: UUID
    expires_at: datetime
    display: AccessRequestDisplay


class ScopeAsked(Struct, kw_only=True):
    """What a request asks for, as it was sent; types: the usual set of the role where it named none."""

    purpose: str
    types: list[RecordType]
    since: date | None
    until: date | None
    duration_seconds: int


class ScopeGiven(Struct, kw_only=True):
    """What the person agreed to, after narrowing and the cap of the way the answer came. Of sensitive
    categories nothing is said."""

    types: list[RecordType]
    since: date | None
    until: date | None
    starts_at: datetime
    ends_at: datetime


class AccessRequestState(Struct, kw_only=True):
    """state: waiting, granted or ended. patient_id, grant_id and given come with granted. asked: null where
    the request is no longer kept."""

    request_id: UUID
    state: AskingState
    expires_at: datetime
    patient_id: UUID | None
    grant_id: UUID | None
    asked: ScopeAsked | None
    given: ScopeGiven | None


class TypedCode(Struct, kw_only=True, forbid_unknown_fields=True):
    """8 digits of the app, or 6 of the SMS, as the person read them out."""

    code: Annotated[str, Meta(min_length=1, max_length=16)]


class CodeAccepted(Struct, kw_only=True):
    """Whom the code opened; starts_at may lie ahead."""

    patient_id: UUID
    grant_id: UUID
    starts_at: datetime
    ends_at: datetime


class SmsAsked(Struct, kw_only=True):
    """Says nothing of whether a message was sent."""

    sends_left: int
    resend_after_seconds: int


class DoctorGrant(Struct, kw_only=True):
    """One record that this practitioner may open at this facility. version rises when the person narrows or
    renews the grant.

    held: it opens nothing until the person confirms it, because the practitioner's factors were replaced.
    name: of the person; null while the grant opens nothing. delegations: what this doctor handed to nurses
    of it; null to who is no doctor.
    """

    patient_id: UUID
    name: str | None
    grant_id: UUID
    version: int
    purpose: str
    types: list[RecordType]
    since: date | None
    until: date | None
    starts_at: datetime
    ends_at: datetime
    held: bool
    delegations: list[DelegationMade] | None


class DoctorGrants(Struct, kw_only=True):
    """A page of grants; next opens the one after."""

    items: list[DoctorGrant]
    next: str | None


@post(
    "/v1/doctor/access-requests",
    actors=ASKING,
    operation_id="doctor_ask",
    tags=TAGS,
    status_code=202,
    idempotent=True,
    problems=(
        ROLE_MAY_NOT_ASK,
        ACCESS_REQUEST_INVALID,
        TOO_MANY,
        REQUEST_EXPIRED,
        *CODE_PROBLEMS,
        *PROBLEMS,
    ),
)
async def ask(data: JSONBody[NewAccessRequest], call: NamedDependency[Call]) -> Response[AccessRequestOpened]:
    """Ask a person for access to the record."""
    async with call.begin() as (tx, actor):
        outcome = await create_once(
            tx,
            call,
            actor,
            202,
            make=lambda: _ask(tx, call, actor, data),
            again=lambda request_id: requests.asked_again(tx, call.keys, actor, request_id, call.now),
            id_of=lambda asked: asked.request_id,
        )
    return answer(outcome if isinstance(outcome, Refused) else _opened(outcome), status=202)


@get(
    "/v1/doctor/access-requests/{request_id:uuid}",
    actors=ASKING,
    operation_id="doctor_request_state",
    tags=TAGS,
    problems=(UNKNOWN_REQUEST,),
)
async def state(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[AccessRequestState]:
    """Whether a request is waiting, granted or ended."""
    async with call.begin() as (tx, actor):
        view = await requests.asking_view(tx, actor, request_id, call.now)
    if isinstance(view, Refused):
        return answer(view)
    return answer(
        AccessRequestState(
            request_id=view.request_id,
            state=view.state,
            expires_at=view.expires_at,
            patient_id=view.patient_id,
            grant_id=view.grant_id,
            asked=None if view.request is None else _scope_asked(view.request),
            given=None if view.grant is None else _scope_given(view.grant),
        )
    )


@get(
    "/v1/doctor/access-requests/{request_id:uuid}/display",
    actors=ASKING,
    operation_id="doctor_request_display",
    tags=TAGS,
    problems=(UNKNOWN_REQUEST, REQUEST_EXPIRED),
)
async def display(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[AccessRequestDisplay]:
    """The code and digits to show now."""
    async with call.begin() as (tx, actor):
        shown = await requests.display(tx, call.keys, actor, request_id, call.now)
    return answer(shown if isinstance(shown, Refused) else _display(shown))


@get(
    "/v1/doctor/access-requests/{request_id:uuid}/display.svg",
    actors=ASKING,
    operation_id="doctor_request_picture",
    tags=TAGS,
    media_type="image/svg+xml",
    problems=(UNKNOWN_REQUEST, REQUEST_EXPIRED),
)
async def picture(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The code to show now, drawn."""
    async with call.begin() as (tx, actor):
        shown = await requests.display(tx, call.keys, actor, request_id, call.now)
    if isinstance(shown, Refused):
        return answer(shown)
    return answer(svg(shown.qr).encode(), media_type="image/svg+xml")


@get(
    "/v1/doctor/access-requests/{request_id:uuid}/display.png",
    actors=ASKING,
    operation_id="doctor_request_png",
    tags=TAGS,
    media_type="image/png",
    problems=(UNKNOWN_REQUEST, REQUEST_EXPIRED),
)
async def png_picture(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The code to show now, for screens that draw no SVG."""
    async with call.begin() as (tx, actor):
        shown = await requests.display(tx, call.keys, actor, request_id, call.now)
    if isinstance(shown, Refused):
        return answer(shown)
    return answer(png(shown.qr), media_type="image/png")


@post(
    "/v1/doctor/access-requests/{request_id:uuid}/code",
    actors=ASKING,
    operation_id="doctor_type_code",
    tags=TAGS,
    status_code=200,
    problems=(UNKNOWN_REQUEST, REQUEST_EXPIRED, OTP_INVALID, CHALLENGE_DEAD),
)
async def type_code(
    request_id: FromPath[UUID], data: JSONBody[TypedCode], call: NamedDependency[Call]
) -> Response[CodeAccepted]:
    """Type the code that the person read out."""
    async with call.begin() as (tx, actor):
        verdict = await approval.enter_code(
            tx, call.keys, actor, request_id, data.code, trace_id=call.request_id, now=call.now
        )
    if isinstance(verdict, Refused):
        return answer(verdict)
    return answer(
        CodeAccepted(
            patient_id=verdict.patient_id,
            grant_id=verdict.grant_id,
            starts_at=verdict.starts_at,
            ends_at=verdict.ends_at,
        )
    )


@post(
    "/v1/doctor/access-requests/{request_id:uuid}/sms",
    actors=ASKING,
    operation_id="doctor_ask_sms",
    tags=TAGS,
    status_code=202,
    problems=(UNKNOWN_REQUEST, REQUEST_EXPIRED, CHALLENGE_DEAD, TOO_MANY),
)
async def ask_sms(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[SmsAsked]:
    """Ask for a code by SMS to the person's phone."""
    async with call.begin() as (tx, actor):
        outcome = await codes.ask_code(
            tx, call.keys, actor, request_id, trace_id=call.request_id, now=call.now
        )
    if isinstance(outcome, Refused):
        return answer(outcome)
    asked = SmsAsked(sends_left=outcome.sends_left, resend_after_seconds=outcome.resend_after_seconds)
    return answer(asked, status=202)


@get(
    "/v1/doctor/grants",
    actors=ASKING,
    operation_id="doctor_grants",
    tags=TAGS,
    problems=(BAD_CURSOR,),
)
async def list_grants(
    call: NamedDependency[Call],
    limit: Limit = PAGE_DEFAULT,
    cursor: Cursor = None,
    patient_id: OfPerson = None,
) -> Response[DoctorGrants]:
    """Records that this practitioner may open now, newest grant first."""
    before = decode_cursor(cursor, tuple[UUID])[0] if cursor else None
    async with call.begin() as (tx, actor):
        found = await grants.grants_of_practitioner(tx, actor, before, limit + 1, call.now, patient_id)
        open_now = [one.patient_id for one in found[:limit] if not one.held and one.starts_at <= call.now]
        names = await people.names_of(tx, call.keys, open_now)
        handed = await handed_on(tx, actor, open_now) if actor.role == "doctor" else None
    items = [
        _grant(one, names.get(one.patient_id), None if handed is None else handed.get(one.grant_id, []))
        for one in found[:limit]
    ]
    more = encode_cursor(str(found[limit - 1].grant_id)) if len(found) > limit else None
    return answer(DoctorGrants(items=items, next=more))


@delete(
    "/v1/doctor/grants/{grant_id:uuid}",
    actors=ASKING,
    operation_id="doctor_give_back",
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_GRANT,),
)
async def give_back(grant_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """End one's own access to a record before its time; the person sees it in the log."""
    async with call.begin() as (tx, actor):
        outcome = await grants.give_back(tx, actor, grant_id, trace_id=call.request_id, now=call.now)
    return answer(outcome)


async def _ask(tx: Tx, call: Call, actor: Actor, data: NewAccessRequest) -> Asked | Refused:
    wish = Ask(
        kind=data.subject.kind,
        value=data.subject.value,
        purpose=data.purpose,
        types=None if data.types is None else frozenset(data.types),
        since=data.since,
        until=data.until,
        duration_seconds=data.duration_seconds,
    )
    return await request_access(tx, call.keys, actor, wish, trace_id=call.request_id, now=call.now)


def _opened(asked: Asked) -> AccessRequestOpened:
    return AccessRequestOpened(
        request_id=asked.request_id, expires_at=asked.expires_at, display=_display(asked.display)
    )


def _display(shown: Display) -> AccessRequestDisplay:
    return AccessRequestDisplay(qr=shown.qr, digits=shown.digits, redraw_at=shown.redraw_at)


def _scope_asked(request: AccessRequest) -> ScopeAsked:
    return ScopeAsked(
        purpose=request.purpose,
        types=request.types,
        since=request.since,
        until=request.until,
        duration_seconds=request.duration_seconds,
    )


def _scope_given(grant: Grant) -> ScopeGiven:
    return ScopeGiven(
        types=grant.types,
        since=grant.since,
        until=grant.until,
        starts_at=grant.starts_at,
        ends_at=grant.ends_at,
    )


def _grant(grant: PractitionerGrant, name: str | None, handed: list[Delegation] | None) -> DoctorGrant:
    return DoctorGrant(
        patient_id=grant.patient_id,
        name=name,
        grant_id=grant.grant_id,
        version=grant.version,
        purpose=grant.purpose,
        types=grant.types,
        since=grant.since,
        until=grant.until,
        starts_at=grant.starts_at,
        ends_at=grant.ends_at,
        held=grant.held,
        delegations=None if handed is None else [delegation_made(one) for one in handed],
    )


handlers: list[Any] = [ask, state, display, picture, png_picture, type_code, ask_sms, list_grants, give_back]
