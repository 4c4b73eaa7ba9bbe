"""Who is registered here: the list of a day, one opened, who came."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.reading import Cursor, Limit
from api.request import Call, answer
from kernel.clock import local_day
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import Refused
from vaccination.registration import desk
from vaccination.registration.models import FacilityRegistration, ListedRegistration, VaccinationDay
from vaccination.registration.problems import (
    DAY_NOT_THERE,
    DAY_OVER,
    REGISTRATION_EXISTS,
    REGISTRATION_UNKNOWN,
)
from visits.problems import NOT_AT_A_FACILITY
from visits.slots.problems import BOOKING_STATE, SLOT_UNKNOWN

TAGS: Final = ["vaccination"]
STAFF: Final = ("doctor", "nurse", "vaccinator")
BASE: Final = "/v1/facility/vaccination-registrations"
ONE: Final = BASE + "/{registration_id:uuid}"
_FIRST: Final = (datetime(2000, 1, 1, tzinfo=UTC), UUID(int=0), 0)
Zoned = Annotated[datetime, Meta(tz=True)]
Turn = Annotated[int, Meta(ge=0, lt=2**31)]
Day = Annotated[date | None, QueryParameter(name="day", description="A day in Vietnam; without it today.")]


class RegistrationOutcome(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whether the person came. What was given is recorded as every dose is."""

    outcome: Literal["attended", "absent"]


@get(
    BASE,
    actors=STAFF,
    operation_id="facility_vaccination_day",
    tags=TAGS,
    problems=(BAD_CURSOR, NOT_AT_A_FACILITY, DAY_OVER),
)
async def of_day(
    call: NamedDependency[Call], day: Day = None, cursor: Cursor = None, limit: Limit = None
) -> Response[VaccinationDay]:
    """The registrations of a day, of the last 30 or to come, by slot and turn.

    Each person shown finds it in the own log.
    """
    wanted, size = day or local_day(call.now), limit or PAGE_DEFAULT
    after = decode_cursor(cursor, tuple[Zoned, UUID, Turn]) if cursor else _FIRST
    async with call.begin() as (tx, actor):
        where = call.request_id, call.now
        found = await desk.of_day(tx, call.keys, actor, wanted, after, size, *where)
    if isinstance(found, Refused):
        return answer(found)
    items, last = found
    following = encode_cursor(last.starts_at.isoformat(), str(last.slot_id), last.turn) if last else None
    return answer(VaccinationDay(day=wanted, items=items, next=following))


@get(
    ONE,
    actors=STAFF,
    operation_id="facility_vaccination_registration",
    tags=TAGS,
    problems=(REGISTRATION_UNKNOWN, NOT_AT_A_FACILITY, DAY_OVER),
)
async def one(registration_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[FacilityRegistration]:
    """One registration with the answers given beforehand; that it was opened stands in the person's log."""
    async with call.begin() as (tx, actor):
        where = call.request_id, call.now
        return answer(await desk.open_registration(tx, call.keys, actor, registration_id, *where))


@post(
    ONE + "/outcome",
    actors=STAFF,
    operation_id="mark_vaccination_registration",
    tags=TAGS,
    status_code=200,
    problems=(
        REGISTRATION_UNKNOWN,
        REGISTRATION_EXISTS,
        DAY_NOT_THERE,
        DAY_OVER,
        BOOKING_STATE,
        SLOT_UNKNOWN,
        NOT_AT_A_FACILITY,
    ),
)
async def mark(
    registration_id: FromPath[UUID], data: JSONBody[RegistrationOutcome], call: NamedDependency[Call]
) -> Response[ListedRegistration]:
    """Say on the day, or afterwards, whether the person came."""
    async with call.begin() as (tx, actor):
        where = call.request_id, call.now
        return answer(
            await desk.mark(
                tx,
                call.keys,
                actor,
                registration_id,
                "attend" if data.outcome == "attended" else "miss",
                *where,
            )
        )


handlers: list[Any] = [of_day, one, mark]
