"""Written questions that people put to this facility, or to the reader by name."""

from typing import Any, Final, get_args
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.citizen.consultations import MOVES, Words, as_file, withheld
from api.facility.cases import Running
from api.reading import Cursor, Limit
from api.request import Answer, Call, answer
from documents.pictures import PictureType
from ehr.cases.reading import LAST_ID
from kernel.access import Actor
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import Refused
from visits.consultations import answering, asking, moving
from visits.consultations.models import (
    EMERGENCY_EN,
    EMERGENCY_VI,
    ConsultationAct,
    FacilityConsultation,
    FacilityConsultationLine,
)
from visits.consultations.problems import CONSULTATION_UNKNOWN, CONSULTATION_WITHHELD, PICTURE_UNKNOWN
from visits.problems import NOT_AT_A_FACILITY

TAGS = ["consultations"]
STAFF: Final = ("doctor", "nurse")


class FacilityConsultations(Struct, kw_only=True):
    """Questions, newest first. `next` is opaque; null on the last page."""

    emergency_vi: str
    emergency_en: str
    items: list[FacilityConsultationLine]
    next: str | None


class ConsultationAnswer(Struct, kw_only=True, forbid_unknown_fields=True):
    """text: what the person reads."""

    text: Words


def _hand(call: Call, actor: Actor) -> moving.Hand:
    return moving.Hand(actor=actor, request_id=call.request_id, now=call.now)


@get(
    "/v1/facility/consultations",
    actors=STAFF,
    operation_id="facility_consultations",
    tags=TAGS,
    problems=(BAD_CURSOR, NOT_AT_A_FACILITY),
)
async def list_questions(
    call: NamedDependency[Call], running: Running = True, cursor: Cursor = None, limit: Limit = None
) -> Response[FacilityConsultations]:
    """Which questions wait, and until when; what they say shows only once one is opened."""
    before, size = decode_cursor(cursor, tuple[UUID])[0] if cursor else LAST_ID, limit or PAGE_DEFAULT
    async with call.begin() as (tx, actor):
        found = await answering.waiting(tx, actor, before, size + 1, running=running)
    if isinstance(found, Refused):
        return answer(found)
    following = encode_cursor(str(found[size - 1].consultation_id)) if len(found) > size else None
    shown = found[:size]
    return answer(
        FacilityConsultations(
            emergency_vi=EMERGENCY_VI, emergency_en=EMERGENCY_EN, items=shown, next=following
        )
    )


@get(
    "/v1/facility/consultations/{consultation_id:uuid}",
    actors=STAFF,
    operation_id="facility_consultation",
    tags=TAGS,
    problems=(CONSULTATION_UNKNOWN, NOT_AT_A_FACILITY),
)
async def one_question(
    consultation_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[FacilityConsultation]:
    """A question whole; that it was opened, and by whom, stands in the person's log."""
    async with call.begin() as (tx, actor):
        return answer(await answering.open_question(tx, call.keys, consultation_id, _hand(call, actor)))


@get(
    "/v1/facility/consultations/{consultation_id:uuid}/pictures/{picture_id:uuid}",
    actors=STAFF,
    operation_id="facility_consultation_picture",
    tags=TAGS,
    produces=get_args(PictureType),
    problems=(CONSULTATION_UNKNOWN, PICTURE_UNKNOWN, NOT_AT_A_FACILITY),
)
async def picture(
    consultation_id: FromPath[UUID], picture_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[bytes]:
    """A picture of the question, as a file; logged by name."""
    async with call.begin() as (tx, actor):
        row = await answering.of_facility(tx, actor, consultation_id)
        found = row if isinstance(row, Refused) else await asking.picture_of(tx, row, picture_id)
        if not isinstance(row, Refused) and not isinstance(found, Refused):
            await moving.note(tx, row, "consultation:picture:read", _hand(call, actor))
    return answer(found) if isinstance(found, Refused) else await as_file(call, found)


@post(
    "/v1/facility/consultations/{consultation_id:uuid}/accept",
    actors=STAFF,
    operation_id="facility_accept_consultation",
    tags=TAGS,
    status_code=200,
    problems=(*MOVES, NOT_AT_A_FACILITY),
)
async def accept(
    consultation_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[FacilityConsultationLine]:
    """Say that the reader answers a question; from now on nobody else of the facility opens it."""
    return await _moved(call, consultation_id, "accept")


@post(
    "/v1/facility/consultations/{consultation_id:uuid}/decline",
    actors=STAFF,
    operation_id="facility_decline_consultation",
    tags=TAGS,
    status_code=200,
    problems=(*MOVES, NOT_AT_A_FACILITY),
)
async def decline(
    consultation_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[FacilityConsultationLine]:
    """Say that nobody here answers a question."""
    return await _moved(call, consultation_id, "decline")


@post(
    "/v1/facility/consultations/{consultation_id:uuid}/answer",
    actors=STAFF,
    operation_id="facility_answer_consultation",
    tags=TAGS,
    status_code=200,
    problems=(*MOVES, CONSULTATION_WITHHELD, NOT_AT_A_FACILITY),
)
async def give_answer(
    consultation_id: FromPath[UUID], data: JSONBody[ConsultationAnswer], call: NamedDependency[Call]
) -> Response[FacilityConsultationLine]:
    """Answer a question, by whoever accepted it."""
    return await _moved(call, consultation_id, "answer", data.text)


async def _moved(call: Call, consultation_id: UUID, act: ConsultationAct, text: str | None = None) -> Answer:
    async with call.begin() as (tx, actor):
        hand = _hand(call, actor)
        if text is not None and (refused := await withheld(tx, consultation_id, text, call.now)) is not None:
            return answer(refused)
        return answer(await answering.staff_move(tx, call.keys, consultation_id, act, hand, text))


handlers: list[Any] = [list_questions, one_question, picture, accept, decline, give_answer]
