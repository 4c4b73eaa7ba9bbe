"""Practitioners and facilities from which the person wants no requests."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Struct

from api.acting import begin_for
from api.request import Call, answer
from consent.blocks import service as blocks
from consent.blocks.queries import Block, BlockKind
from consent.problems import UNKNOWN_BLOCK, UNKNOWN_GRANT, UNKNOWN_REQUEST
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, PAGE_MAX, decode_cursor, encode_cursor
from kernel.problems import Refused

TAGS = ["consent"]
Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX)]
Cursor = Annotated[str | None, QueryParameter(max_length=200)]


class NewBlock(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whom to block: the practitioner or the facility of a grant or of a request that this person knows."""

    kind: BlockKind
    grant_id: UUID | None = None
    request_id: UUID | None = None


class BlockView(Struct, kw_only=True):
    """One block. lifted_at: requests arrive again since then."""

    block_id: UUID
    kind: BlockKind
    name: str
    blocked_at: datetime
    lifted_at: datetime | None


class Blocks(Struct, kw_only=True):
    """A page of blocks; next opens the one after."""

    items: list[BlockView]
    next: str | None


@get(
    "/v1/me/blocks",
    actors=("citizen",),
    operation_id="me_blocks",
    any_app=True,
    tags=TAGS,
    problems=(BAD_CURSOR,),
)
async def list_blocks(
    call: NamedDependency[Call], limit: Limit = PAGE_DEFAULT, cursor: Cursor = None
) -> Response[Blocks]:
    """All blocks, lifted ones too, newest first."""
    before = decode_cursor(cursor, tuple[UUID])[0] if cursor else None
    async with begin_for(call, "manage-grants") as (tx, access):
        found = await blocks.blocks_of_person(tx, access.patient_id, before, limit + 1)
    return answer(
        Blocks(
            items=[_view(one) for one in found[:limit]],
            next=encode_cursor(str(found[limit - 1].block_id)) if len(found) > limit else None,
        )
    )


@post(
    "/v1/me/blocks",
    actors=("citizen",),
    operation_id="me_block",
    any_app=True,
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_GRANT, UNKNOWN_REQUEST),
)
async def block(data: JSONBody[NewBlock], call: NamedDependency[Call]) -> Response[None]:
    """Block a doctor or a facility: their grants end and their requests do not arrive."""
    async with begin_for(call, "manage-grants") as (tx, access):
        target = await blocks.target_of(
            tx, access.patient_id, data.kind, grant_id=data.grant_id, request_id=data.request_id
        )
        if isinstance(target, Refused):
            return answer(target)
        await blocks.block(tx, access, target, trace_id=call.request_id, now=call.now)
    return answer(None)


@delete(
    "/v1/me/blocks/{block_id:uuid}",
    actors=("citizen",),
    operation_id="me_unblock",
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_BLOCK,),
)
async def unblock(block_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Lift a block; what ended with it stays ended."""
    async with begin_for(call, "manage-grants") as (tx, access):
        outcome = await blocks.lift(tx, access, block_id, trace_id=call.request_id, now=call.now)
    return answer(outcome)


def _view(one: Block) -> BlockView:
    return BlockView(
        block_id=one.block_id,
        kind=one.kind,
        name=one.name,
        blocked_at=one.blocked_at,
        lifted_at=one.lifted_at,
    )


handlers: list[Any] = [list_blocks, block, unblock]
