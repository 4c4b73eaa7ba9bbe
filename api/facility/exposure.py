"""Which lists of who was here the health department had made: for the facility's privacy officer."""

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency

from api.department.exposure import ExposureLists, page_of
from api.reading import Cursor, Limit
from api.request import Call, answer
from ehr.cases.reading import LAST_ID
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor
from kernel.problems import Refused
from visits.exposure import service
from visits.problems import NOT_AT_A_FACILITY


@get(
    "/v1/facility/exposure-lists",
    actors=("privacy-officer",),
    operation_id="facility_exposure_lists",
    tags=["desk"],
    problems=(BAD_CURSOR, NOT_AT_A_FACILITY),
)
async def list_own(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[ExposureLists]:
    """Hours, legal basis and rounded count of each list of one's own facility; nobody who is on it."""
    before, size = decode_cursor(cursor, tuple[UUID])[0] if cursor else LAST_ID, limit or PAGE_DEFAULT
    async with call.begin() as (tx, actor):
        if actor.facility_id is None:
            return answer(Refused(problem=NOT_AT_A_FACILITY))
        rows = await service.lists_of(tx, actor.facility_id, before, size + 1)
    return answer(page_of(rows, size, actor))


handlers: list[Any] = [list_own]
