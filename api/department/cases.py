"""Cases that facilities are late with, for the health department."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from msgspec import Struct

from api.reading import Cursor, Limit
from api.request import Call, answer
from ehr.cases.reading import OverdueCase, overdue_cases
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor


class OverdueCases(Struct, kw_only=True):
    """Late cases, the latest first. `next` is opaque; null on the last page."""

    items: list[OverdueCase]
    next: str | None


@get(
    "/v1/department/cases",
    actors=("department-analyst",),
    operation_id="department_cases",
    tags=["oversight"],
    problems=(BAD_CURSOR,),
)
async def list_overdue(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[OverdueCases]:
    """Cases whose term has passed: which facility, since when; nothing clinical and nobody's name."""
    after = decode_cursor(cursor, tuple[datetime, UUID]) if cursor else None
    size = limit or PAGE_DEFAULT
    async with call.begin() as (tx, _):
        found = await overdue_cases(tx, after, size + 1, call.now)
    last = found[size - 1] if len(found) > size else None
    following = encode_cursor(last.deadline.isoformat(), str(last.case_id)) if last else None
    return answer(OverdueCases(items=found[:size], next=following))


handlers: list[Any] = [list_overdue]
