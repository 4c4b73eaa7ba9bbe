"""A partner or an app that waits on a page, answered in the person's own app: looked at, approved by the
device, finished on the page with six digits that the app shows (api/pages/connect.py)."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.citizen.grants import SignedAct, environment_of, signed_of
from api.connecting import CONNECT_TYP, Asking, asking_of, connect_facts
from api.request import Call, answer
from consent.step_up import act_text, verify_act
from family.problems import GUARDIAN_NEEDED
from identity.problems import DEVICE_ON_PROBATION, STEP_UP_REFUSED, TOO_MANY
from kernel.access import Access
from kernel.problems import Refused
from partners.smart import authorizing
from partners.smart.authorizing import Choice
from partners.smart.policy import TYPED_MAX
from partners.smart.problems import APP_REQUEST_UNKNOWN, CHOICE_NOT_OFFERED, CONNECT_PAGE_ENDED
from partners.smart.requests import origin_of
from partners.smart.texts import box_text
from store.database import Tx

TAGS = ["connected-apps"]
BoxName = Annotated[str, Meta(min_length=1, max_length=60)]


class AppRequestCode(Struct, kw_only=True, forbid_unknown_fields=True):
    """code: the eight signs of the page, or what its picture says."""

    code: Annotated[str, Meta(min_length=8, max_length=TYPED_MAX)]


class AppRequestBox(Struct, kw_only=True):
    """One part that can be ticked. No box is ticked beforehand."""

    name: str
    text: str


class AppRequestView(Struct, kw_only=True):
    """Who asks for what. returns_to: where the browser of the page goes with the answer. days: among which
    lengths of time the person chooses; none is chosen beforehand."""

    request_id: UUID
    client_id: UUID
    kind: Literal["partner", "app"]
    name: str
    holder: str
    returns_to: str
    boxes: list[AppRequestBox]
    days: list[int]
    expires_at: datetime


class AppRequestApproval(Struct, kw_only=True, forbid_unknown_fields=True):
    """The device signs JCS of: typ connect-app, environment, patient_id, device_id, nonce, iat, exp,
    request_id, client, name, holder (as looked at), ticked (sorted), days."""

    ticked: Annotated[list[BoxName], Meta(min_length=1, max_length=32)]
    days: Annotated[int, Meta(ge=1, le=365)]
    signed: SignedAct


class AppRequestDigits(Struct, kw_only=True):
    """Shown once: the page asks for them, and nobody else may."""

    digits: str
    expires_at: datetime


@post(
    "/v1/me/app-requests/look",
    actors=("citizen",),
    operation_id="me_look_at_app_request",
    any_app=True,
    tags=TAGS,
    status_code=200,
    problems=(APP_REQUEST_UNKNOWN, CONNECT_PAGE_ENDED, GUARDIAN_NEEDED, DEVICE_ON_PROBATION, TOO_MANY),
)
async def look(data: JSONBody[AppRequestCode], call: NamedDependency[Call]) -> Response[AppRequestView]:
    """Which client waits for an answer on a page, by the signs that the page shows."""
    async with begin_for(call, "connect-app") as (tx, access):
        found = await authorizing.look_at(tx, call.keys, access.actor, data.code, call.now)
        asking = found if isinstance(found, Refused) else await asking_of(tx, found)
    return answer(asking if isinstance(asking, Refused) else _view(asking))


@post(
    "/v1/me/app-requests/{request_id:uuid}/approve",
    actors=("citizen",),
    operation_id="me_approve_app_request",
    tags=TAGS,
    status_code=200,
    problems=(
        APP_REQUEST_UNKNOWN,
        CONNECT_PAGE_ENDED,
        CHOICE_NOT_OFFERED,
        STEP_UP_REFUSED,
        GUARDIAN_NEEDED,
        DEVICE_ON_PROBATION,
    ),
)
async def approve(
    request_id: FromPath[UUID], data: JSONBody[AppRequestApproval], call: NamedDependency[Call]
) -> Response[AppRequestDigits]:
    """Let a client have what was ticked; the page asks for the digits of the answer."""
    async with begin_for(call, "connect-app") as (tx, access):
        asking = await _looked_at(tx, call, access, request_id)
        outcome = asking if isinstance(asking, Refused) else await _agree(tx, call, access, asking, data)
    return answer(outcome)


@post(
    "/v1/me/app-requests/{request_id:uuid}/refuse",
    actors=("citizen",),
    operation_id="me_refuse_app_request",
    any_app=True,
    tags=TAGS,
    status_code=204,
    problems=(APP_REQUEST_UNKNOWN, CONNECT_PAGE_ENDED, GUARDIAN_NEEDED, DEVICE_ON_PROBATION),
)
async def say_no(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Refuse a client; the page goes back without anything."""
    async with begin_for(call, "connect-app") as (tx, access):
        asking = await _looked_at(tx, call, access, request_id)
        if isinstance(asking, Refused):
            return answer(asking)
        await authorizing.end(tx, asking.row, call.now)
    return answer(None)


async def _looked_at(tx: Tx, call: Call, access: Access, request_id: UUID) -> Asking | Refused:
    found = await authorizing.looked_at(tx, access.actor, request_id, call.now)
    return found if isinstance(found, Refused) else await asking_of(tx, found)


async def _agree(
    tx: Tx, call: Call, access: Access, asking: Asking, data: AppRequestApproval
) -> AppRequestDigits | Refused:
    choice = Choice(tuple(dict.fromkeys(data.ticked)), data.days)
    refused = authorizing.fits(asking.wish, asking.days, choice)
    if refused is not None:
        return refused
    signed, environment = signed_of(data.signed), environment_of(call)
    facts = connect_facts(asking, choice)
    act = await verify_act(tx, access, CONNECT_TYP, facts, signed, environment=environment, now=call.now)
    if isinstance(act, Refused):
        return act
    digits = await authorizing.agree(
        tx,
        call.keys,
        asking.row,
        choice,
        device_id=access.actor.device_id,
        text=act_text(access, CONNECT_TYP, facts, signed, environment),
        signature=signed.signature,
        now=call.now,
    )
    if isinstance(digits, Refused):
        return digits
    return AppRequestDigits(digits=digits, expires_at=asking.row.expires_at)


def _view(asking: Asking) -> AppRequestView:
    client = asking.client
    return AppRequestView(
        request_id=asking.row.request_id,
        client_id=client.client_id,
        kind=client.kind,
        name=client.name,
        holder=client.holder,
        returns_to=origin_of(asking.row.redirect_uri),
        boxes=[AppRequestBox(name=box, text=box_text(box)) for box in asking.wish.boxes],
        days=list(asking.days),
        expires_at=asking.row.expires_at,
    )


handlers: list[Any] = [look, approve, say_no]
