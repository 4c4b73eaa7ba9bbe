"""What was declared for a visit, as the facility of the visit reads it."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from api.reading import Cursor, Limit
from api.request import Call, answer
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import Refused
from visits.declarations import desk
from visits.declarations.models import FacilityDeclaration
from visits.problems import NOT_AT_A_FACILITY

TAGS: Final = ["declarations"]


class VisitDeclarations(Struct, kw_only=True):
    """Declarations of a visit, oldest first. `next` is opaque; null on the last page."""

    items: list[FacilityDeclaration]
    next: str | None


@get(
    "/v1/facility/visits/{visit_id:uuid}/declarations",
    actors=("doctor", "nurse"),
    operation_id="facility_visit_declarations",
    tags=TAGS,
    problems=(BAD_CURSOR, NOT_AT_A_FACILITY),
)
async def of_visit(
    visit_id: FromPath[UUID], call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[VisitDeclarations]:
    """What was declared for a check-in or a booking here, by its id.

    That it was read stands in the person's log. A visit that is none of the facility's has none."""
    after, size = decode_cursor(cursor, tuple[UUID])[0] if cursor else desk.FIRST, limit or PAGE_DEFAULT
    async with call.begin() as (tx, actor):
        where = after, size, call.request_id, call.now
        found = await desk.of_visit(tx, call.keys, actor, visit_id, *where)
    if isinstance(found, Refused):
        return answer(found)
    following = encode_cursor(str(found[-1].declaration_id)) if len(found) == size else None
    return answer(VisitDeclarations(items=found, next=following))


handlers: list[Any] = [of_visit]
