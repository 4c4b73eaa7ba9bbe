"""What came back to a facility: units whose person could not be found, with the place and the reason."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import Struct

from api.request import Call, answer
from ehr.quarantine.models import Returned
from ehr.quarantine.units import START, list_returned
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, PAGE_MAX, decode_cursor, encode_cursor

Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX)]
Cursor = Annotated[str | None, QueryParameter(max_length=200)]


class ReturnedUnits(Struct, kw_only=True):
    """Oldest first."""

    items: list[Returned]
    next_cursor: str | None = None


@get(
    "/v1/facility/quarantine",
    actors=("facility-admin",),
    operation_id="facility_returned_units",
    tags=["quarantine"],
    problems=(BAD_CURSOR,),
)
async def get_returned(
    call: NamedDependency[Call], limit: Limit = PAGE_DEFAULT, cursor: Cursor = None
) -> Response[ReturnedUnits]:
    """List what an officer returned to the facility.

    What still waits is not listed here: that a number belongs to somebody else is not told to senders.
    """
    after = decode_cursor(cursor, tuple[UUID])[0] if cursor else START
    async with call.begin() as (tx, actor):
        assert actor.facility_id is not None
        found = await list_returned(tx, actor.facility_id, after, limit)
    more = encode_cursor(str(found[-1][0])) if len(found) == limit else None
    return answer(ReturnedUnits(items=[one for _, one in found], next_cursor=more))


handlers: list[Any] = [get_returned]
