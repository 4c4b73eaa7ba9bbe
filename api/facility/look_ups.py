"""The desk finds a person by a number, a card or a phone, and notes the arrival of whoever is found."""

from datetime import date
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter
from msgspec import Meta, Struct

from api.problems import INVALID_FIELD
from api.request import Call, answer
from identity.problems import IDENTIFIER_INVALID, TOO_MANY, UNIT_UNKNOWN
from kernel.problems import Refused, refuse
from store.database import Tx
from visits.arrivals import arrive
from visits.counters.problems import COUNTER_OF_UNIT, COUNTER_UNKNOWN
from visits.lookup import rate, service
from visits.lookup.models import Fact, LookedUp, LookUp, MatchedPerson
from visits.lookup.problems import (
    FACT_DIFFERS,
    FACT_INVALID,
    FACT_TRIES_USED,
    LOOK_UP_OVER,
    NO_NUMBER,
    NOT_MATCHED_YET,
)
from visits.lookup.rate import OwnRate
from visits.lookup.service import Desk
from visits.models import Typed
from visits.problems import NOT_AT_A_FACILITY

TAGS: Final = ["desk"]
DESK: Final = ("clerk", "nurse", "doctor")
Month = Annotated[str, PathParameter(pattern=r"^[0-9]{4}-[0-9]{2}$(?!\n)", description="A month.")]


class FoundArrival(Struct, kw_only=True, forbid_unknown_fields=True):
    """candidate: as the match gave it. unit_id, counter_id: as with a number that is typed."""

    candidate: Annotated[str, Meta(min_length=1, max_length=1000)]
    unit_id: UUID | None = None
    counter_id: UUID | None = None


@post(
    "/v1/facility/look-ups",
    status_code=200,
    actors=DESK,
    operation_id="look_up_at_desk",
    tags=TAGS,
    problems=(NOT_AT_A_FACILITY, TOO_MANY),
)
async def look_up(data: JSONBody[LookUp], call: NamedDependency[Call]) -> Response[LookedUp]:
    """Find whom a number means: at most five people, by initials and birth year.

    Everybody who is shown finds it in the own log, with what it was for. Where nobody is found it says why,
    and what to do next.
    """
    async with call.begin() as (tx, actor):
        desk = service.desk_of(actor, call.request_id, call.now)
        done = desk if isinstance(desk, Refused) else await service.look_up(tx, call.keys, desk, data)
    return answer(done)


@post(
    "/v1/facility/look-ups/match",
    status_code=200,
    actors=DESK,
    operation_id="match_looked_up",
    tags=TAGS,
    problems=(NOT_AT_A_FACILITY, LOOK_UP_OVER, FACT_INVALID, FACT_DIFFERS, FACT_TRIES_USED, TOO_MANY),
)
async def match(data: JSONBody[Fact], call: NamedDependency[Call]) -> Response[MatchedPerson]:
    """Say one more fact of a candidate, the whole name or the birth date: then the person is named.

    Three wrong ones a day, whatever number led there; each stands in the person's log.
    """
    async with call.begin() as (tx, actor):
        desk = service.desk_of(actor, call.request_id, call.now)
        done = desk if isinstance(desk, Refused) else await service.match(tx, call.keys, desk, data)
    return answer(done)


@post(
    "/v1/facility/look-ups/arrival",
    status_code=201,
    actors=("clerk", "nurse"),
    operation_id="note_arrival_of_looked_up",
    tags=TAGS,
    problems=(
        NOT_AT_A_FACILITY,
        LOOK_UP_OVER,
        NOT_MATCHED_YET,
        NO_NUMBER,
        IDENTIFIER_INVALID,
        UNIT_UNKNOWN,
        COUNTER_UNKNOWN,
        COUNTER_OF_UNIT,
        TOO_MANY,
    ),
)
async def note_arrival(data: JSONBody[FoundArrival], call: NamedDependency[Call]) -> Response[Typed]:
    """Note that a matched person came, as if the number had been typed: a ticket, no presence.

    Again on one day it is the same arrival.
    """
    async with call.begin() as (tx, actor):
        desk = service.desk_of(actor, call.request_id, call.now)
        done = desk if isinstance(desk, Refused) else await _arrive(tx, call, desk, data)
    return answer(done)


async def _arrive(tx: Tx, call: Call, desk: Desk, found: FoundArrival) -> Typed | Refused:
    number = await service.number_for_arrival(tx, call.keys, desk, found.candidate)
    if isinstance(number, Refused):
        return number
    return await arrive(
        tx,
        call.keys,
        desk.actor,
        number,
        unit_id=found.unit_id,
        counter_id=found.counter_id,
        request_id=call.request_id,
        now=call.now,
    )


@get(
    "/v1/facility/look-ups/success/{month:str}",
    actors=("facility-admin", "privacy-officer", "clerk", "nurse"),
    operation_id="facility_look_up_success",
    tags=TAGS,
    problems=(INVALID_FIELD, NOT_AT_A_FACILITY),
)
async def success(month: Month, call: NamedDependency[Call]) -> Response[OwnRate]:
    """How many look-ups of this facility found somebody in a month, and why the others did not."""
    first = first_of(month)
    async with call.begin() as (tx, actor):
        if actor.facility_id is None:
            return answer(Refused(problem=NOT_AT_A_FACILITY))
        return answer(await rate.of_facility(tx, actor.facility_id, first))


def first_of(month: str) -> date:
    """The first day. Raises the problem invalid-field."""
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        refuse(INVALID_FIELD, "month")
    # The calendar's last month has no following one.
    if first.year in (date.min.year, date.max.year):
        refuse(INVALID_FIELD, "month")
    return first


handlers: list[Any] = [look_up, match, note_arrival, success]
