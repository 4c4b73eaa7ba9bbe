"""The desk: whom somebody without a phone lets act, by two members of staff, and its end (security.md S8)."""

import asyncio
import base64
from datetime import date, datetime
from typing import Any
from uuid import UUID

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.facility.activation import DESK
from api.idempotency import PROBLEMS, SECRET_PROBLEMS, create_once
from api.request import Call, answer
from consent import relatives
from ehr.exports.problems import EXPORT_BUSY
from family import desk
from family.desk import DeskProposed, Number, Wish, Written
from family.models import Scope
from family.papers import papers
from family.problems import INVITATIONS_TOO_MANY, PROXY_DESK_REFUSED, PROXY_INVALID
from identity.problems import CARD_NOT_SEEN, IDENTIFIER_INVALID, SECOND_ACCOUNT_NEEDED, TOO_MANY
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Tx
from store.problems import ALREADY_CREATED
from visits.arrivals import arrived_today

TAGS = ["desk"]


class DeskCardSeen(Struct, kw_only=True, forbid_unknown_fields=True):
    card_seen: bool


class DeskProxyEnd(Struct, kw_only=True, forbid_unknown_fields=True):
    """person_number: of who is here and wants nobody to act any more."""

    person_number: Number
    card_seen: bool


class DeskProxyCode(Struct, kw_only=True):
    """The code, shown this once. papers_pdf: one page in base64, the relative's paper with the code and the
    person's without it."""

    code: str
    name: str | None
    scopes: list[Scope]
    until: date
    expires_at: datetime
    papers_pdf: str


@post(
    "/v1/facility/proxies",
    status_code=201,
    actors=DESK,
    operation_id="propose_proxy",
    tags=TAGS,
    idempotent=True,
    problems=(
        CARD_NOT_SEEN,
        PROXY_DESK_REFUSED,
        PROXY_INVALID,
        IDENTIFIER_INVALID,
        SECOND_ACCOUNT_NEEDED,
        TOO_MANY,
        *PROBLEMS,
    ),
)
async def propose(data: JSONBody[Wish], call: NamedDependency[Call]) -> Response[DeskProposed]:
    """First account: somebody without a phone is here today; card seen, scopes and last day ticked."""
    async with call.begin() as (tx, actor):
        made = await create_once(
            tx,
            call,
            actor,
            201,
            make=lambda: desk.propose(
                tx, call.keys, actor, data, arrived_today, request_id=call.request_id, now=call.now
            ),
            again=lambda proposal_id: desk.proposed_again(tx, actor, proposal_id),
            id_of=lambda proposed: proposed.proposal_id,
        )
    return answer(made)


@post(
    "/v1/facility/proxies/{proposal_id:uuid}/confirm",
    status_code=201,
    actors=DESK,
    operation_id="confirm_proxy",
    tags=TAGS,
    idempotent=True,
    problems=(
        CARD_NOT_SEEN,
        PROXY_DESK_REFUSED,
        SECOND_ACCOUNT_NEEDED,
        INVITATIONS_TOO_MANY,
        TOO_MANY,
        EXPORT_BUSY,
        *SECRET_PROBLEMS,
    ),
)
async def confirm(
    proposal_id: FromPath[UUID], data: JSONBody[DeskCardSeen], call: NamedDependency[Call]
) -> Response[DeskProxyCode]:
    """Second account: both papers, and the code that the relative types in the own app within 7 days."""
    # The turn at the printer comes first: a code whose papers cannot be made would be lost.
    async with call.alone(call.export_slots), call.export_slots.turn():
        async with call.begin() as (tx, actor):
            made = await create_once(
                tx,
                call,
                actor,
                201,
                make=lambda: _confirm(tx, call, actor, proposal_id, data.card_seen),
                again=lambda _: _confirmed_again(tx, actor, proposal_id),
                id_of=lambda _: proposal_id,
            )
        return answer(made if isinstance(made, Refused) else await _shown(call, made), status=201)


async def _confirm(tx: Tx, call: Call, actor: Actor, proposal_id: UUID, card_seen: bool) -> Written | Refused:
    return await desk.confirm(
        tx,
        call.keys,
        actor,
        proposal_id,
        card_seen,
        arrived_today,
        request_id=call.request_id,
        now=call.now,
    )


@post(
    "/v1/facility/proxies/end",
    status_code=204,
    actors=DESK,
    operation_id="end_proxies_at_desk",
    tags=TAGS,
    problems=(CARD_NOT_SEEN, PROXY_DESK_REFUSED, TOO_MANY),
)
async def end(data: JSONBody[DeskProxyEnd], call: NamedDependency[Call]) -> Response[None]:
    """End everybody whom a person who is here lets act, and every code. Whether there was any is not said."""
    async with call.begin() as (tx, actor):
        done = await relatives.end_proxies_at_desk(
            tx,
            call.keys,
            actor,
            data.person_number,
            data.card_seen,
            arrived_today,
            trace_id=call.request_id,
            now=call.now,
        )
    return answer(done)


async def _confirmed_again(tx: Tx, actor: Actor, proposal_id: UUID) -> Refused:
    """The code is never shown twice (S14)."""
    again = await desk.proposed_again(tx, actor, proposal_id)
    return again if isinstance(again, Refused) else Refused(problem=ALREADY_CREATED)


async def _shown(call: Call, made: Written) -> DeskProxyCode:
    paper = await asyncio.to_thread(papers, made, call.hotline, call.now)
    return DeskProxyCode(
        code=made.code,
        name=made.name,
        scopes=made.scopes,
        until=made.until,
        expires_at=made.expires_at,
        papers_pdf=base64.b64encode(paper).decode(),
    )


handlers: list[Any] = [propose, confirm, end]
