"""Referral letters at both facilities: the receiver says how far a letter is, the sender reads it."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Struct
from msgspec.structs import replace

from api.request import Call, answer
from ehr.referrals import service as referrals
from ehr.referrals.models import Act, FacilityReferrals, Side
from ehr.referrals.problems import BAD_BOOKING, REFERRAL_MOVED_ON, UNKNOWN_REFERRAL
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, PAGE_MAX, decode_cursor, encode_cursor
from kernel.problems import Refused
from visits.problems import NOT_AT_A_FACILITY

TAGS = ["referrals"]
STAFF = ("doctor", "nurse", "clerk", "facility-system")
Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX)]
Cursor = Annotated[str | None, QueryParameter(max_length=200)]
Number = Annotated[str | None, QueryParameter(min_length=1, max_length=100, description="Of the letter.")]


class MovedReferral(Struct, kw_only=True, forbid_unknown_fields=True):
    """The step that a letter is at now; booked_for: the day, of a booking alone."""

    state: Act
    booked_for: date | None = None


@get(
    "/v1/facility/referrals/received",
    actors=STAFF,
    operation_id="facility_received_referrals",
    tags=TAGS,
    problems=(BAD_CURSOR, NOT_AT_A_FACILITY),
)
async def list_received(
    call: NamedDependency[Call], number: Number = None, limit: Limit = PAGE_DEFAULT, cursor: Cursor = None
) -> Response[FacilityReferrals]:
    """Letters sent to this facility: number, sender, day and step. Whose they are, the person shows."""
    return await _list(call, "in", number, limit, cursor)


@get(
    "/v1/facility/referrals/sent",
    actors=STAFF,
    operation_id="facility_sent_referrals",
    tags=TAGS,
    problems=(BAD_CURSOR, NOT_AT_A_FACILITY),
)
async def list_sent(
    call: NamedDependency[Call], number: Number = None, limit: Limit = PAGE_DEFAULT, cursor: Cursor = None
) -> Response[FacilityReferrals]:
    """Letters that this facility sent, and how far each is."""
    return await _list(call, "out", number, limit, cursor)


async def _list(
    call: Call, side: Side, number: str | None, limit: int, cursor: str | None
) -> Response[FacilityReferrals]:
    before = decode_cursor(cursor, tuple[UUID])[0] if cursor else None
    async with call.begin() as (tx, actor):
        if actor.facility_id is None:
            return answer(Refused(problem=NOT_AT_A_FACILITY))
        page, last = await referrals.list_at(tx, actor.facility_id, side, number, before, limit)
    return answer(replace(page, next=encode_cursor(str(last)) if last else None))


@put(
    "/v1/facility/referrals/{referral_id:uuid}/state",
    actors=STAFF,
    operation_id="facility_move_referral",
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_REFERRAL, REFERRAL_MOVED_ON, BAD_BOOKING, NOT_AT_A_FACILITY),
)
async def put_state(
    referral_id: FromPath[UUID], data: JSONBody[MovedReferral], call: NamedDependency[Call]
) -> Response[None]:
    """Say how far a letter sent to this facility is; its person and its sender read it."""
    async with call.begin() as (tx, actor):
        if actor.facility_id is None:
            return answer(Refused(problem=NOT_AT_A_FACILITY))
        done = await referrals.move(
            tx,
            actor,
            actor.facility_id,
            referral_id,
            data.state,
            data.booked_for,
            request_id=call.request_id,
            now=call.now,
        )
    return answer(done)


handlers: list[Any] = [list_received, list_sent, put_state]
