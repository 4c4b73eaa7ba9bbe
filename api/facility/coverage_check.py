"""The desk asks the insurance gateway about a card; whatever it answers, the person is received."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.idempotency import PROBLEMS, create_once
from api.request import Call, answer
from identity.problems import TOO_MANY
from kernel.access import Actor
from kernel.problems import ProblemError, Refused
from store.database import Tx
from visits.coverage_check.models import Check, Outcome
from visits.coverage_check.policy import meaning_of
from visits.coverage_check.ports import Failure, Question
from visits.coverage_check.queries import check_by_id
from visits.coverage_check.service import ask, begin, finish
from visits.problems import ARRIVAL_UNKNOWN, NOT_AT_A_FACILITY


class ShownCard(Struct, kw_only=True, forbid_unknown_fields=True):
    """What stands on the card or the identity card, as read at the desk."""

    number: Annotated[str, Meta(min_length=9, max_length=20)]
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    birth_date: date


class CoverageCheckView(Struct, kw_only=True):
    """What the gateway said. outcome: unknown for a code whose meaning nobody confirmed. code: its own, null
    without an answer, and then failure says why; person_*: to be read to the person; clerk_*: what to do
    next. It never stands in the way of an arrival."""

    check_id: UUID
    outcome: Outcome
    code: str | None
    failure: Failure | None
    person_vi: str
    person_en: str
    clerk_vi: str
    clerk_en: str
    asked_at: datetime
    answered_at: datetime | None


@post(
    "/v1/facility/arrivals/{arrival_id:uuid}/coverage-check",
    status_code=201,
    actors=("nurse", "clerk"),
    operation_id="check_coverage",
    tags=["desk"],
    idempotent=True,
    problems=(TOO_MANY, NOT_AT_A_FACILITY, ARRIVAL_UNKNOWN, *PROBLEMS),
)
async def post_check(
    arrival_id: FromPath[UUID], data: JSONBody[ShownCard], call: NamedDependency[Call]
) -> Response[CoverageCheckView]:
    """Check an insurance card at the gateway, with an arrival of today. Without an answer it says so."""
    question = Question(data.number, data.name, data.birth_date)
    async with call.begin() as (tx, actor):
        check = await _begun(tx, call, actor, arrival_id, question)
    if isinstance(check, Refused) or check.answered_at is not None:
        return answer(check if isinstance(check, Refused) else _view(check), status=201)
    answered = await ask(call.coverage_check, question)
    call.time_went_by()
    async with call.begin() as (tx, actor):
        assert actor.facility_id is not None
        done = await finish(tx, actor.facility_id, check.check_id, answered, call.now)
    return answer(_view(done or check), status=201)


async def _begun(tx: Tx, call: Call, actor: Actor, arrival_id: UUID, question: Question) -> Check | Refused:
    """The check as it begins, or as it stands where this request began it before."""
    begun = await create_once(
        tx,
        call,
        actor,
        201,
        make=lambda: begin(
            tx, call.keys, actor, arrival_id, question, request_id=call.request_id, now=call.now
        ),
        again=_same,
        id_of=lambda check_id: check_id,
    )
    if isinstance(begun, Refused):
        return begun
    if actor.facility_id is None:
        raise ProblemError(Refused(problem=NOT_AT_A_FACILITY))
    found = await check_by_id(tx, actor.facility_id, begun)
    return found or Check(begun, arrival_id, call.now, None, None, None)


async def _same(check_id: UUID) -> UUID:
    return check_id


def _view(check: Check) -> CoverageCheckView:
    meaning = meaning_of(check.code)
    return CoverageCheckView(
        check_id=check.check_id,
        outcome=meaning.outcome,
        code=check.code,
        failure=check.failure,
        person_vi=meaning.person_vi,
        person_en=meaning.person_en,
        clerk_vi=meaning.clerk_vi,
        clerk_en=meaning.clerk_en,
        asked_at=check.asked_at,
        answered_at=check.answered_at,
    )


handlers: list[Any] = [post_check]
