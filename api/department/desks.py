"""What the health department sees of facilities' desks: numbers typed in vain, and how look-ups went."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from msgspec import Struct

from api.facility.look_ups import Month, first_of
from api.facility.unmet_arrivals import unmet_before, unmet_next
from api.problems import INVALID_FIELD
from api.reading import Cursor, Limit
from api.request import Call, answer
from audit.accountability.problems import MONTH_NOT_COUNTED
from kernel.clock import add_months, local_day
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import Refused
from visits.lookup import rate
from visits.lookup.rate import FacilityRate
from visits.unmet import service
from visits.unmet.models import Unmet

TAGS: Final = ["oversight"]
ACTORS: Final = ("department-analyst",)
_NOBODY: Final = UUID(int=0)


class AllUnmet(Struct, kw_only=True):
    """Newest first, for 30 days. recorded_by: an account's id; the facility knows the name. `next` is opaque;
    null on the last page."""

    items: list[Unmet]
    next: str | None


class LookUpSuccess(Struct, kw_only=True):
    """Facilities by their id. Each count is rounded to five, and totals are made of rounded ones. `next` is
    opaque; null on the last page."""

    items: list[FacilityRate]
    next: str | None


@get(
    "/v1/department/arrivals/unmet",
    actors=ACTORS,
    operation_id="department_unmet_arrivals",
    tags=TAGS,
    problems=(BAD_CURSOR,),
)
async def list_unmet(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[AllUnmet]:
    """Arrivals that were typed anywhere and that no visit followed within seven days."""
    size = limit or PAGE_DEFAULT
    async with call.begin() as (tx, _):
        found = await service.of_all(tx, call.keys, unmet_before(cursor, call.now), size + 1)
    return answer(AllUnmet(items=found[:size], next=unmet_next(found, size)))


@get(
    "/v1/department/look-ups/success/{month:str}",
    actors=ACTORS,
    operation_id="department_look_up_success",
    tags=TAGS,
    problems=(INVALID_FIELD, MONTH_NOT_COUNTED, BAD_CURSOR),
)
async def success(
    month: Month, call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[LookUpSuccess]:
    """How many look-ups found somebody, by facility, in a month that is over."""
    first = first_of(month)
    if local_day(call.now) < add_months(first, 1):
        async with call.begin():
            return answer(Refused(problem=MONTH_NOT_COUNTED))
    after = decode_cursor(cursor, tuple[UUID])[0] if cursor else _NOBODY
    size = limit or PAGE_DEFAULT
    async with call.begin() as (tx, _):
        found = await rate.of_all(tx, first, after, size + 1)
    following = encode_cursor(str(found[size - 1].facility_id)) if len(found) > size else None
    return answer(LookUpSuccess(items=found[:size], next=following))


handlers: list[Any] = [list_unmet, success]
