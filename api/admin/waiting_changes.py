"""What waits for a second operator: whoever confirms looks at it first (security.md S26)."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from msgspec import Meta, Struct

from api.admin.registry import TAGS
from api.reading import Cursor, Limit
from api.request import Call, answer
from identity.facility_admin.models import WaitingChange
from identity.register import changes
from identity.register.changes import ChangeKind
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor


class WaitingRegisterChange(Struct, kw_only=True):
    """change: JSON of all that would be done, as it was proposed. is_own: another account confirms it."""

    change_id: UUID
    kind: ChangeKind
    change: Annotated[str, Meta(max_length=65536)]
    reason: str
    proposer_name: str | None
    proposed_at: datetime
    is_own: bool


class WaitingRegisterChanges(Struct, kw_only=True):
    """Oldest first; a proposal waits three days. next: opaque; null on the last page."""

    items: list[WaitingRegisterChange]
    next: str | None


@get(
    "/v1/admin/changes",
    actors=("operator",),
    operation_id="list_register_changes",
    tags=TAGS,
    problems=(BAD_CURSOR,),
)
async def list_changes(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[WaitingRegisterChanges]:
    """What waits for a second operator, whole: look at it before you confirm it."""
    after = decode_cursor(cursor, tuple[UUID])[0] if cursor else None
    size = limit or PAGE_DEFAULT
    async with call.begin() as (tx, actor):
        found = await changes.waiting(tx, after, size + 1, call.now)
    items = [_waiting(one, actor.actor_id) for one in found[:size]]
    more = encode_cursor(str(items[-1].change_id)) if len(found) > size else None
    return answer(WaitingRegisterChanges(items=items, next=more))


def _waiting(row: WaitingChange, reader: UUID) -> WaitingRegisterChange:
    return WaitingRegisterChange(
        change_id=row.change_id,
        kind=msgspec.convert(row.kind, ChangeKind),
        change=row.body,
        reason=row.reason,
        proposer_name=row.proposer_name,
        proposed_at=row.proposed_at,
        is_own=row.proposed_by == reader,
    )


handlers: list[Any] = [list_changes]
