"""The desk: who is whose guardian, by two members of staff, as an account is opened (security.md S8)."""

from typing import Any
from uuid import UUID

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.facility.activation import DESK
from api.idempotency import PROBLEMS, create_once
from api.request import Call, answer
from consent import relatives
from family import attesting
from family.attesting import Pair, Proposed
from family.problems import GUARDIANSHIP_REFUSED
from identity.problems import CARD_NOT_SEEN, SECOND_ACCOUNT_NEEDED, TOO_MANY
from visits.arrivals import arrived_today

TAGS = ["desk"]


class PapersSeen(Struct, kw_only=True, forbid_unknown_fields=True):
    papers_seen: bool


@post(
    "/v1/facility/guardianships",
    status_code=201,
    actors=DESK,
    operation_id="propose_guardianship",
    tags=TAGS,
    idempotent=True,
    problems=(CARD_NOT_SEEN, GUARDIANSHIP_REFUSED, SECOND_ACCOUNT_NEEDED, TOO_MANY, *PROBLEMS),
)
async def propose(data: JSONBody[Pair], call: NamedDependency[Call]) -> Response[Proposed]:
    """First account: both are here today and the papers name them; or a court's order (registry officers)."""
    async with call.begin() as (tx, actor):
        made = await create_once(
            tx,
            call,
            actor,
            201,
            make=lambda: attesting.propose(
                tx, call.keys, actor, data, arrived_today, request_id=call.request_id, now=call.now
            ),
            again=lambda proposal_id: attesting.proposed_again(tx, actor, proposal_id),
            id_of=lambda proposed: proposed.proposal_id,
        )
    return answer(made)


@post(
    "/v1/facility/guardianships/{proposal_id:uuid}/confirm",
    status_code=204,
    actors=DESK,
    operation_id="confirm_guardianship",
    tags=TAGS,
    problems=(CARD_NOT_SEEN, GUARDIANSHIP_REFUSED, SECOND_ACCOUNT_NEEDED, TOO_MANY),
)
async def confirm(
    proposal_id: FromPath[UUID], data: JSONBody[PapersSeen], call: NamedDependency[Call]
) -> Response[None]:
    """Second account: of the facility, or of another one for the end of a bar. From now on it holds."""
    async with call.begin() as (tx, actor):
        done = await relatives.confirm_guardianship(
            tx,
            call.keys,
            actor,
            proposal_id,
            data.papers_seen,
            arrived_today,
            request_id=call.request_id,
            now=call.now,
        )
    return answer(done)


handlers: list[Any] = [propose, confirm]
