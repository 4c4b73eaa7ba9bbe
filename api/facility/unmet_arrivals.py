"""Numbers that were typed at a desk of this facility and that no visit followed (security.md S7)."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from msgspec import Struct

from api.reading import Cursor, Limit
from api.request import Call, answer
from ehr.cases.reading import LAST_ID
from identity.practitioners import names_of
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import Refused
from visits.problems import NOT_AT_A_FACILITY
from visits.unmet import service
from visits.unmet.models import Unmet

TAGS: Final = ["desk"]


class UnmetArrival(Unmet, kw_only=True, frozen=True):
    """recorded_by_name: of the account that typed it."""

    recorded_by_name: str | None


class UnmetArrivals(Struct, kw_only=True):
    """Newest first, for 30 days. `next` is opaque; null on the last page."""

    items: list[UnmetArrival]
    next: str | None


@get(
    "/v1/facility/arrivals/unmet",
    actors=("facility-admin", "privacy-officer"),
    operation_id="facility_unmet_arrivals",
    tags=TAGS,
    problems=(NOT_AT_A_FACILITY, BAD_CURSOR),
)
async def list_unmet(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[UnmetArrivals]:
    """Arrivals that were typed here and that no visit followed within seven days: who typed them, when."""
    size = limit or PAGE_DEFAULT
    async with call.begin() as (tx, actor):
        if actor.facility_id is None:
            return answer(Refused(problem=NOT_AT_A_FACILITY))
        before = unmet_before(cursor, call.now)
        found = await service.of_facility(tx, call.keys, actor.facility_id, before, size + 1)
        names = await names_of(tx, {one.recorded_by for one in found})
    items = [_named(one, names.get(one.recorded_by)) for one in found[:size]]
    return answer(UnmetArrivals(items=items, next=unmet_next(found, size)))


def _named(one: Unmet, name: str | None) -> UnmetArrival:
    return UnmetArrival(
        **{field: getattr(one, field) for field in Unmet.__struct_fields__}, recorded_by_name=name
    )


def unmet_before(cursor: str | None, now: datetime) -> tuple[datetime, UUID]:
    """The place of a cursor, or the newest. Raises the problem bad-cursor."""
    return decode_cursor(cursor, tuple[datetime, UUID]) if cursor else (now, LAST_ID)


def unmet_next(found: list[Unmet], size: int) -> str | None:
    """The cursor behind a page, where another line follows."""
    if len(found) <= size:
        return None
    last = found[size - 1]
    return encode_cursor(last.listed_at.isoformat(), str(last.arrival_id))


handlers: list[Any] = [list_unmet]
