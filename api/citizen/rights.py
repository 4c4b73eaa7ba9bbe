"""Rights over one's own data: asking, closing the account, being erased, taking everything along."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.citizen.grants import SignedAct, environment_of
from api.exporting import EVERYTHING, ZIP, export_own
from api.idempotency import PROBLEMS, create_once
from api.reading import OWN_PROBLEMS
from api.request import Call, answer
from consent.approval import Signed
from consent.rights import service
from consent.rights.models import Erasure, ErasureState, RightsKind, RightsOutcome, RightsRequest
from consent.rights.problems import DEATH_REPORTED, ERASURE_WAITS, NO_ERASURE
from ehr.exports.problems import EXPORT_BUSY, EXPORT_OVERTAKEN, EXPORT_TOO_LARGE
from family.problems import ADULTS_ONLY, GUARDIAN_NEEDED
from identity.problems import STEP_UP_REFUSED
from kernel.problems import Refused

TAGS = ["rights"]
EXPORT_PROBLEMS = tuple(problem for problem in OWN_PROBLEMS if problem.code != "bad-cursor")


class RightsRequestBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """access: a copy of everything; restriction: no processing beyond what the law asks for; objection: to a
    processing. Erasure and closing have routes of their own."""

    kind: Literal["access", "restriction", "objection"]


class RightsRequestView(Struct, kw_only=True):
    """answer_by, done_by: the law's terms."""

    request_id: UUID
    kind: RightsKind
    opened_at: datetime
    answer_by: datetime
    done_by: datetime
    extended: bool
    answered_at: datetime | None
    done_at: datetime | None
    outcome: RightsOutcome | None


class RightsRequests(Struct, kw_only=True):
    items: Annotated[list[RightsRequestView], Meta(max_length=100)]


class ErasureView(Struct, kw_only=True):
    """due_at: until then it can be cancelled on every device."""

    state: ErasureState
    asked_at: datetime
    due_at: datetime


@post(
    "/v1/me/rights-requests",
    status_code=201,
    actors=("citizen",),
    operation_id="ask_about_own_data",
    tags=TAGS,
    idempotent=True,
    problems=(GUARDIAN_NEEDED, *PROBLEMS),
)
async def ask_about_own_data(
    data: JSONBody[RightsRequestBody], call: NamedDependency[Call]
) -> Response[RightsRequestView]:
    """Ask for a copy, a restriction or an objection; the law's terms begin now."""
    async with begin_for(call, "manage-rights") as (tx, access):
        made = await create_once(
            tx,
            call,
            access.actor,
            201,
            make=lambda: service.open_request(tx, access, data.kind, trace_id=call.request_id, now=call.now),
            again=lambda request_id: service.own_request(tx, access.patient_id, request_id),
            id_of=lambda request: request.request_id,
        )
    return answer(made if isinstance(made, Refused) else view_of(made))


@get(
    "/v1/me/rights-requests",
    actors=("citizen",),
    operation_id="list_rights_requests",
    tags=TAGS,
    problems=(GUARDIAN_NEEDED,),
)
async def list_rights_requests(call: NamedDependency[Call]) -> Response[RightsRequests]:
    """What I asked about my data, newest first, with its terms."""
    async with begin_for(call, "manage-rights") as (tx, access):
        found = await service.requests_of(tx, access.patient_id)
    return answer(RightsRequests(items=[view_of(one) for one in found]))


@post(
    "/v1/me/erasure",
    status_code=202,
    actors=("citizen",),
    operation_id="ask_erasure",
    tags=TAGS,
    problems=(STEP_UP_REFUSED, ERASURE_WAITS, ADULTS_ONLY),
)
async def ask_erasure(data: JSONBody[SignedAct], call: NamedDependency[Call]) -> Response[ErasureView]:
    """Ask that everything about me goes, in 72 hours. Signed: JCS with typ `erase-person`."""
    async with begin_for(call, "ask-erasure") as (tx, access):
        made = await service.ask_erasure(
            tx,
            access,
            signed_of(data),
            environment=environment_of(call),
            trace_id=call.request_id,
            now=call.now,
        )
    return answer(made if isinstance(made, Refused) else _erasure(made))


@get(
    "/v1/me/erasure",
    actors=("citizen",),
    operation_id="read_erasure",
    any_app=True,
    tags=TAGS,
    problems=(NO_ERASURE,),
)
async def read_erasure(call: NamedDependency[Call]) -> Response[ErasureView]:
    """Whether an erasure waits, and until when it can be cancelled."""
    async with begin_for(call, "manage-grants") as (tx, access):
        found = await service.erasure_of(tx, access.patient_id)
    return answer(found if isinstance(found, Refused) else _erasure(found))


@delete(
    "/v1/me/erasure",
    status_code=204,
    actors=("citizen",),
    operation_id="cancel_erasure",
    any_app=True,
    tags=TAGS,
    problems=(NO_ERASURE,),
)
async def cancel_erasure(call: NamedDependency[Call]) -> Response[None]:
    """Cancel an erasure that waits; the session alone is enough."""
    async with begin_for(call, "manage-grants") as (tx, access):
        return answer(await service.cancel_erasure(tx, access, trace_id=call.request_id, now=call.now))


@post(
    "/v1/me/account/close",
    status_code=204,
    actors=("citizen",),
    operation_id="close_account",
    any_app=True,
    tags=TAGS,
    problems=(STEP_UP_REFUSED, DEATH_REPORTED, GUARDIAN_NEEDED),
)
async def close_account(data: JSONBody[SignedAct], call: NamedDependency[Call]) -> Response[None]:
    """End every session, device, grant and link of mine at once. Signed: JCS with typ `close-account`."""
    async with begin_for(call, "close-account") as (tx, access):
        refused = await service.close_account(
            tx,
            access,
            signed_of(data),
            environment=environment_of(call),
            trace_id=call.request_id,
            now=call.now,
        )
    return answer(refused)


@get(
    "/v1/me/exports/everything",
    actors=("citizen",),
    operation_id="export_everything",
    tags=["exports"],
    problems=(*EXPORT_PROBLEMS, STEP_UP_REFUSED, EXPORT_BUSY, EXPORT_OVERTAKEN, EXPORT_TOO_LARGE),
    step_up=True,
    produces=ZIP,
)
async def export_everything(call: NamedDependency[Call]) -> Response[bytes]:
    """Everything held about me, table by table, in one archive."""
    return await export_own(call, EVERYTHING)


def signed_of(act: SignedAct) -> Signed:
    return Signed(nonce=act.nonce, iat=act.iat, exp=act.exp, signature=act.signature)


def view_of(one: RightsRequest) -> RightsRequestView:
    return RightsRequestView(
        request_id=one.request_id,
        kind=one.kind,
        opened_at=one.opened_at,
        answer_by=one.answer_by,
        done_by=one.done_by,
        extended=one.extended_at is not None,
        answered_at=one.answered_at,
        done_at=one.done_at,
        outcome=one.outcome,
    )


def _erasure(found: Erasure) -> ErasureView:
    return ErasureView(state=found.state, asked_at=found.asked_at, due_at=found.due_at)


handlers: list[Any] = [
    ask_about_own_data,
    list_rights_requests,
    ask_erasure,
    read_erasure,
    cancel_erasure,
    close_account,
    export_everything,
]
