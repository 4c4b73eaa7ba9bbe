"""The family: for whom I act, who acts for me, and how that begins and ends."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.citizen.grants import SignedAct, environment_of
from api.request import Call, answer
from consent import relatives
from consent.problems import REQUEST_DECIDED, REQUEST_EXPIRED, UNKNOWN_REQUEST
from family import proxies, service
from family.models import Band, Scope
from family.problems import (
    ADULTS_ONLY,
    INVITATIONS_TOO_MANY,
    LINK_DISPUTED,
    NOT_IN_YOUR_CARE,
    PROXIES_TOO_MANY,
    PROXY_CODE_REFUSED,
    PROXY_INVALID,
    UNKNOWN_LINK,
)
from family.proxies import Accepted, Invitation, SignedBy
from family.service import Relative
from identity.problems import DEVICE_ON_PROBATION, STEP_UP_REFUSED, TOO_MANY
from kernel.access import Access, Label
from kernel.problems import Refused
from store.database import Tx
from vitals.rules.ending import end_of_links

TAGS = ["family"]
SHOWABLE = Literal["HIV", "ETH", "PSY", "SEX", "STD", "GDIS"]
TICK_TYP = "guardian-labels"


class CoGuardianView(Struct, kw_only=True):
    """Another guardian of a child. starts_at: one who waits; until then DELETE
    /v1/me/guardians/{person_id}, with X-Patient-Id of the child, says no."""

    person_id: UUID
    name: str | None
    starts_at: datetime | None


class RelativeView(Struct, kw_only=True):
    """One link. person_id: for X-Patient-Id where acts is for-them. band: the age band of whom I act for.

    acts: who acts for whom. scopes: of a proxy, what it may do. disputed: nobody writes by it until it is
    settled. starts_at: a guardian who waits until then; where acts is for-them that is oneself: the book
    stays shut, name and band are null, and the line is gone once another guardian said no. by_court: a proxy
    whom a court named, and whom the person disputes but does not end. beside: the other guardians of a child
    under 15, those too who wait.
    """

    person_id: UUID
    name: str | None
    relation: Literal["guardian", "proxy"]
    acts: Literal["for-them", "for-me"]
    scopes: list[Scope]
    since: datetime | None
    until: datetime | None
    disputed: bool
    band: Band | None
    starts_at: datetime | None
    by_court: bool
    beside: list[CoGuardianView]


class Family(Struct, kw_only=True):
    """Every link that stands now; one that ended is simply not there."""

    items: list[RelativeView]


class ProxyInvitationBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """The device signs JCS of: typ proxy-invite, environment, patient_id, device_id, nonce, iat, exp, scopes
    (sorted), until. until: the last day, at most 12 months from today."""

    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=5)]
    until: date
    signed: SignedAct


class ProxyInvitation(Struct, kw_only=True):
    """code: shown this once; the relative types it in the own app within 24 hours."""

    invitation_id: UUID
    code: str
    scopes: list[Scope]
    until: date
    expires_at: datetime


class AcceptBody(Struct, kw_only=True, forbid_unknown_fields=True):
    code: Annotated[str, Meta(min_length=26, max_length=40)]


class AcceptedProxy(Struct, kw_only=True):
    """For whom one acts from now on; patient_id goes into X-Patient-Id."""

    patient_id: UUID
    name: str | None
    scopes: list[str]
    until: datetime


class RenewBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """The device signs JCS of: typ proxy-renew, the common members, proxy_id, until."""

    until: date
    signed: SignedAct


class TickBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """The device signs JCS of: typ guardian-labels, the common members, guardian_id, labels (sorted)."""

    labels: Annotated[list[SHOWABLE], Meta(max_length=6)]
    signed: SignedAct


@get("/v1/me/family", actors=("citizen",), operation_id="me_family", any_app=True, tags=TAGS, problems=())
async def list_family(call: NamedDependency[Call]) -> Response[Family]:
    """For whom I act and who acts for me."""
    async with begin_for(call, "manage-family") as (tx, access):
        found = await service.relatives_of(tx, call.keys, access, call.now)
    return answer(Family(items=[_view(one) for one in found]))


@post(
    "/v1/me/proxies/invitations",
    actors=("citizen",),
    operation_id="me_invite_proxy",
    tags=TAGS,
    status_code=201,
    problems=(
        PROXY_INVALID,
        INVITATIONS_TOO_MANY,
        ADULTS_ONLY,
        STEP_UP_REFUSED,
        DEVICE_ON_PROBATION,
    ),
)
async def invite(
    data: JSONBody[ProxyInvitationBody], call: NamedDependency[Call]
) -> Response[ProxyInvitation]:
    """Make a code that lets one adult act for me."""
    async with begin_for(call, "make-proxy") as (tx, access):
        made = await _invite(tx, call, access, data)
    return answer(made if isinstance(made, Refused) else _invitation(made), status=201)


@delete(
    "/v1/me/proxies/invitations/{invitation_id:uuid}",
    actors=("citizen",),
    operation_id="me_take_back_invitation",
    any_app=True,
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_LINK,),
)
async def uninvite(invitation_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Take back an invitation that nobody has used; its code opens nothing from now on."""
    async with begin_for(call, "manage-family") as (tx, access):
        done = await service.take_back_invitation(
            tx, access, invitation_id, trace_id=call.request_id, now=call.now
        )
    return answer(done)


@delete(
    "/v1/me/guardians/{person_id:uuid}",
    actors=("citizen",),
    operation_id="me_object_to_guardian",
    any_app=True,
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_LINK,),
)
async def object_to(person_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Say no to a guardian who still waits: for a child in my care (X-Patient-Id), or for myself."""
    async with begin_for(call, "guard-grants") as (tx, access):
        done = await service.object_to_guardian(tx, access, person_id, trace_id=call.request_id, now=call.now)
    return answer(done)


@post(
    "/v1/me/proxies/accept",
    actors=("citizen",),
    operation_id="me_accept_proxy",
    tags=TAGS,
    status_code=201,
    problems=(PROXY_CODE_REFUSED, PROXIES_TOO_MANY, ADULTS_ONLY, TOO_MANY, DEVICE_ON_PROBATION),
)
async def accept(data: JSONBody[AcceptBody], call: NamedDependency[Call]) -> Response[AcceptedProxy]:
    """Act for whoever gave me this code."""
    async with begin_for(call, "make-proxy") as (tx, access):
        made = await proxies.accept(tx, call.keys, access, data.code, trace_id=call.request_id, now=call.now)
    return answer(made if isinstance(made, Refused) else _accepted(made), status=201)


@post(
    "/v1/me/proxies/{person_id:uuid}/renew",
    actors=("citizen",),
    operation_id="me_renew_proxy",
    tags=TAGS,
    status_code=204,
    problems=(
        PROXY_INVALID,
        ADULTS_ONLY,
        STEP_UP_REFUSED,
        UNKNOWN_LINK,
        LINK_DISPUTED,
        DEVICE_ON_PROBATION,
    ),
)
async def renew(
    person_id: FromPath[UUID], data: JSONBody[RenewBody], call: NamedDependency[Call]
) -> Response[None]:
    """Say again that a proxy stands, for at most 12 months more."""
    async with begin_for(call, "make-proxy") as (tx, access):
        done = await proxies.renew(
            tx,
            access,
            person_id,
            data.until,
            _signed(data.signed),
            environment=environment_of(call),
            trace_id=call.request_id,
            now=call.now,
        )
    return answer(done)


@delete(
    "/v1/me/family/{person_id:uuid}",
    actors=("citizen",),
    operation_id="me_end_family_link",
    any_app=True,
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_LINK,),
)
async def end(person_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """End a link at once. The other side is told nothing."""
    async with begin_for(call, "manage-family") as (tx, access):
        done = await relatives.end_link(tx, access, person_id, trace_id=call.request_id, now=call.now)
        for book in (access.patient_id, person_id) if done is None else ():
            await end_of_links(tx, call.keys, book, call.now)
    return answer(done)


@post(
    "/v1/me/family/{person_id:uuid}/dispute",
    actors=("citizen",),
    operation_id="me_dispute_family_link",
    any_app=True,
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_LINK,),
)
async def dispute(person_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Dispute a link: nobody writes by it until that is taken back or the link ends."""
    async with begin_for(call, "manage-family") as (tx, access):
        done = await service.dispute_link(tx, access, person_id, trace_id=call.request_id, now=call.now)
    return answer(done)


@delete(
    "/v1/me/family/{person_id:uuid}/dispute",
    actors=("citizen",),
    operation_id="me_settle_family_dispute",
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_LINK, DEVICE_ON_PROBATION),
)
async def settle(person_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Take back my own dispute."""
    async with begin_for(call, "link-family") as (tx, access):
        done = await service.settle_dispute(tx, access, person_id, trace_id=call.request_id, now=call.now)
    return answer(done)


@put(
    "/v1/me/family/{person_id:uuid}/labels",
    actors=("citizen",),
    operation_id="me_tick_guardian_labels",
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_LINK, LINK_DISPUTED, NOT_IN_YOUR_CARE, STEP_UP_REFUSED, DEVICE_ON_PROBATION),
)
async def tick(
    person_id: FromPath[UUID], data: JSONBody[TickBody], call: NamedDependency[Call]
) -> Response[None]:
    """From 15 to 18: which sensitive vaccinations a guardian may see; none unless ticked."""
    async with begin_for(call, "link-family") as (tx, access):
        return answer(await _tick(tx, call, access, person_id, data))


@post(
    "/v1/me/access-requests/{request_id:uuid}/assent",
    actors=("citizen",),
    operation_id="me_assent_to_request",
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_REQUEST, REQUEST_DECIDED, REQUEST_EXPIRED, DEVICE_ON_PROBATION),
)
async def assent(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Say as a child that my guardian may allow this request."""
    async with begin_for(call, "assent") as (tx, access):
        done = await relatives.assent(tx, access, request_id, trace_id=call.request_id, now=call.now)
    return answer(done)


async def _invite(tx: Tx, call: Call, access: Access, data: ProxyInvitationBody) -> Invitation | Refused:
    return await proxies.invite(
        tx,
        access,
        data.scopes,
        data.until,
        _signed(data.signed),
        environment=environment_of(call),
        trace_id=call.request_id,
        now=call.now,
    )


async def _tick(tx: Tx, call: Call, access: Access, guardian_id: UUID, data: TickBody) -> Refused | None:
    names = sorted(set(data.labels))
    more = {"guardian_id": str(guardian_id), "labels": names}
    refused = await proxies.check_act(
        tx,
        access.actor,
        TICK_TYP,
        _signed(data.signed),
        more,
        environment=environment_of(call),
        now=call.now,
    )
    if refused is not None:
        return refused
    labels = Label.NONE
    for name in names:
        labels |= Label[name]
    return await service.tick_labels(
        tx, call.keys, access, guardian_id, labels, trace_id=call.request_id, now=call.now
    )


def _signed(act: SignedAct) -> SignedBy:
    return SignedBy(nonce=act.nonce, iat=act.iat, exp=act.exp, signature=act.signature)


def _view(one: Relative) -> RelativeView:
    return RelativeView(
        person_id=one.person_id,
        name=one.name,
        relation=one.relation,
        acts=one.acts,
        scopes=one.scopes,
        since=one.since,
        until=one.until,
        disputed=one.disputed,
        band=one.band,
        starts_at=one.starts_at,
        by_court=one.by_court,
        beside=[
            CoGuardianView(person_id=other.person_id, name=other.name, starts_at=other.starts_at)
            for other in one.beside
        ],
    )


def _invitation(made: Invitation) -> ProxyInvitation:
    return ProxyInvitation(
        invitation_id=made.invitation_id,
        code=made.code,
        scopes=made.scopes,
        until=made.until,
        expires_at=made.expires_at,
    )


def _accepted(made: Accepted) -> AcceptedProxy:
    return AcceptedProxy(patient_id=made.patient_id, name=made.name, scopes=made.scopes, until=made.until)


handlers: list[Any] = [
    list_family,
    invite,
    uninvite,
    accept,
    renew,
    end,
    object_to,
    dispute,
    settle,
    tick,
    assent,
]
