"""Severe reactions after vaccination that facilities are late with, for the health department."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from msgspec import Struct

from api.reading import Cursor, Limit
from api.request import Call, answer
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from vaccination.reactions.handling import late
from vaccination.reactions.models import LateReaction


class LateReactions(Struct, kw_only=True):
    """Late reports, the oldest first. `next` is opaque; null on the last page."""

    items: list[LateReaction]
    next: str | None


@get(
    "/v1/department/vaccination/reactions",
    actors=("department-analyst",),
    operation_id="department_late_reactions",
    tags=["oversight"],
    problems=(BAD_CURSOR,),
)
async def list_late(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[LateReactions]:
    """Which facility is late with a severe report, and since when; nothing clinical and nobody's name."""
    after = decode_cursor(cursor, tuple[datetime, UUID]) if cursor else None
    size = limit or PAGE_DEFAULT
    async with call.begin() as (tx, _):
        found = await late(tx, after, size + 1)
    last = found[size - 1] if len(found) > size else None
    following = None
    if last is not None and last.overdue_at is not None:
        following = encode_cursor(last.overdue_at.isoformat(), str(last.reaction_id))
    return answer(LateReactions(items=found[:size], next=following))


handlers: list[Any] = [list_late]
