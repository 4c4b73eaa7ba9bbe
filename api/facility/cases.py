"""What people say about records of this facility, and its answers."""

from typing import Annotated, Any, Final, get_args
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.citizen.cases import MOVES, as_file
from api.idempotency import PROBLEMS, create_once
from api.reading import Cursor, Limit
from api.request import Call, answer
from documents.pictures import PictureType
from ehr.cases import evidence, reading
from ehr.cases.answering import Answer, open_file
from ehr.cases.answering import answer as answer_case
from ehr.cases.models import CaseRow
from ehr.cases.moves import Hand
from ehr.cases.policy import TEXT_MAX
from ehr.cases.problems import CASE_INVALID, CASE_UNKNOWN, EVIDENCE_UNKNOWN
from ehr.cases.reading import FacilityCase, FacilityCaseDetail
from identity.problems import TOO_MANY
from kernel.access import Actor
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import Refused
from visits.problems import NOT_AT_A_FACILITY

TAGS = ["cases"]
STAFF: Final = ("doctor", "facility-admin", "registry-officer")
Running = Annotated[bool, QueryParameter(description="Only cases that wait for something.")]


class FacilityCases(Struct, kw_only=True):
    """Cases, newest first. `next` is opaque; null on the last page."""

    items: list[FacilityCase]
    next: str | None


class AnswerText(Struct, kw_only=True, forbid_unknown_fields=True):
    """text: what the person reads."""

    text: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]


@get(
    "/v1/facility/cases",
    actors=STAFF,
    operation_id="facility_cases",
    tags=TAGS,
    problems=(BAD_CURSOR, NOT_AT_A_FACILITY),
)
async def list_cases(
    call: NamedDependency[Call], running: Running = True, cursor: Cursor = None, limit: Limit = None
) -> Response[FacilityCases]:
    """Cases about what this facility sent, or did not send."""
    before = decode_cursor(cursor, tuple[UUID])[0] if cursor else None
    size = limit or PAGE_DEFAULT
    async with call.begin() as (tx, actor):
        if actor.facility_id is None:
            return answer(Refused(problem=NOT_AT_A_FACILITY))
        found = await reading.facility_cases(
            tx, actor.facility_id, before, size + 1, call.now, running=running
        )
    following = encode_cursor(str(found[size - 1].case_id)) if len(found) > size else None
    return answer(FacilityCases(items=found[:size], next=following))


@get(
    "/v1/facility/cases/{case_id:uuid}",
    actors=STAFF,
    operation_id="facility_case",
    tags=TAGS,
    problems=(CASE_UNKNOWN,),
)
async def one_case(case_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[FacilityCaseDetail]:
    """One case with what the person says; that it was opened, and by whom, stands in the person's log."""
    async with call.begin() as (tx, actor):
        case = await open_file(tx, _facility(actor), case_id, _hand(call, actor))
        if isinstance(case, Refused):
            return answer(case)
        return answer(await reading.facility_detail(tx, call.keys, case, call.now))


@get(
    "/v1/facility/cases/{case_id:uuid}/evidence/{evidence_id:uuid}",
    actors=STAFF,
    operation_id="facility_evidence",
    tags=TAGS,
    produces=get_args(PictureType),
    problems=(CASE_UNKNOWN, EVIDENCE_UNKNOWN),
)
async def case_evidence(
    case_id: FromPath[UUID], evidence_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[bytes]:
    """A picture that the person added, as a file."""
    async with call.begin() as (tx, actor):
        case = await open_file(tx, _facility(actor), case_id, _hand(call, actor))
        if isinstance(case, Refused):
            return answer(case)
        found = await evidence.find(tx, case, evidence_id)
    return answer(found) if isinstance(found, Refused) else await as_file(call, found)


@post(
    "/v1/facility/cases/{case_id:uuid}/acknowledge",
    actors=STAFF,
    operation_id="facility_acknowledge_case",
    tags=TAGS,
    status_code=200,
    problems=MOVES,
)
async def acknowledge(case_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[FacilityCase]:
    """Say that the case was received: within two working days."""
    return await _answered(call, case_id, "acknowledge", None)


@post(
    "/v1/facility/cases/{case_id:uuid}/reply",
    actors=STAFF,
    operation_id="facility_reply_to_case",
    tags=TAGS,
    status_code=200,
    idempotent=True,
    problems=(*MOVES, CASE_INVALID, TOO_MANY, *PROBLEMS),
)
async def reply(
    case_id: FromPath[UUID], data: JSONBody[AnswerText], call: NamedDependency[Call]
) -> Response[FacilityCase]:
    """Write to the person; the case stays where it is."""
    return await _answered(call, case_id, "reply", data.text)


@post(
    "/v1/facility/cases/{case_id:uuid}/refuse",
    actors=STAFF,
    operation_id="facility_refuse_case",
    tags=TAGS,
    status_code=200,
    problems=(*MOVES, CASE_INVALID),
)
async def refuse_case(
    case_id: FromPath[UUID], data: JSONBody[AnswerText], call: NamedDependency[Call]
) -> Response[FacilityCase]:
    """Say why nothing changes; the clock goes on unless the person accepts it."""
    return await _answered(call, case_id, "refuse", data.text)


@post(
    "/v1/facility/cases/{case_id:uuid}/resolve",
    actors=STAFF,
    operation_id="facility_resolve_case",
    tags=TAGS,
    status_code=200,
    problems=(*MOVES, CASE_INVALID),
)
async def resolve(
    case_id: FromPath[UUID], data: JSONBody[AnswerText], call: NamedDependency[Call]
) -> Response[FacilityCase]:
    """Say that a case was corrected; a visit that was not this person's is taken out of the book."""
    return await _answered(call, case_id, "resolve", data.text)


async def _answered(call: Call, case_id: UUID, act: Answer, text: str | None) -> Response[FacilityCase]:
    """A reply that is sent twice by a weak line is one reply; the other acts are one by the case's state."""
    async with call.begin() as (tx, actor):
        facility_id, hand = _facility(actor), _hand(call, actor)

        async def make() -> CaseRow | Refused:
            return await answer_case(tx, call.keys, facility_id, case_id, act, text, hand)

        async def again(case_id: UUID) -> CaseRow | Refused:
            return await reading.case_of_facility(tx, facility_id, case_id)

        case = await create_once(tx, call, actor, 200, make, again, lambda made: made.case_id)
    return answer(case if isinstance(case, Refused) else reading.facility_view(case, call.now))


def _facility(actor: Actor) -> UUID:
    """Staff act for a facility; without one there is no case of theirs."""
    return actor.facility_id or UUID(int=0)


def _hand(call: Call, actor: Actor) -> Hand:
    return Hand(actor=actor, side="facility", request_id=call.request_id, now=call.now)


handlers: list[Any] = [
    list_cases,
    one_case,
    case_evidence,
    acknowledge,
    reply,
    refuse_case,
    resolve,
]
