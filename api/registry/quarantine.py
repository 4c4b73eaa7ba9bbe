"""Officers work off what waits: units without a certain person, and ambiguous lines (security.md S17)."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.request import Call, answer
from ehr.quarantine import reviews, units
from ehr.quarantine.models import Comparison, Kind, Line, ReturnCode, Waiting, Worked
from ehr.quarantine.problems import NOT_A_CANDIDATE, NOT_WAITING, SECOND_OFFICER_NEEDED, UNIT_NOT_PLACED
from identity.problems import TOO_MANY
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, PAGE_MAX, decode_cursor, encode_cursor

TAGS = ["quarantine"]
Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX)]
Cursor = Annotated[str | None, QueryParameter(max_length=200)]
Sender = Annotated[UUID | None, QueryParameter()]
Reason = Annotated[str, Meta(min_length=5, max_length=300)]


class WaitingList(Struct, kw_only=True):
    """Oldest first."""

    items: list[Waiting]
    next_cursor: str | None = None


class ReasonBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why: no names or numbers of patients; it stands in the operators' log."""

    reason: Reason


class ResolveBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """patient_id: one of the people whom the comparison names; null for a new person."""

    reason: Reason
    patient_id: UUID | None


class ReturnBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """code: what the sender is told."""

    reason: Reason
    code: ReturnCode


async def _page(
    call: Call, kind: Kind, sender: UUID | None, limit: int, cursor: str | None
) -> Response[WaitingList]:
    after = decode_cursor(cursor, tuple[UUID])[0] if cursor else units.START
    async with call.begin() as (tx, _):
        found = await units.list_waiting(tx, kind, sender, after, limit)
    more = encode_cursor(str(found[-1].quarantine_id)) if len(found) == limit else None
    return answer(WaitingList(items=found, next_cursor=more))


@get(
    "/v1/registry/quarantine",
    actors=("registry-officer",),
    operation_id="list_quarantine",
    tags=TAGS,
    problems=(BAD_CURSOR,),
)
async def get_quarantine(
    call: NamedDependency[Call],
    facility_id: Sender = None,
    limit: Limit = PAGE_DEFAULT,
    cursor: Cursor = None,
) -> Response[WaitingList]:
    """List the units whose person is not certain: sender, reason and time, nobody's data."""
    return await _page(call, "unit", facility_id, limit, cursor)


@post(
    "/v1/registry/quarantine/{quarantine_id:uuid}/comparison",
    status_code=200,
    actors=("registry-officer",),
    operation_id="compare_quarantined",
    tags=TAGS,
    problems=(NOT_WAITING, TOO_MANY),
)
async def post_comparison(
    quarantine_id: FromPath[UUID], data: JSONBody[ReasonBody], call: NamedDependency[Call]
) -> Response[Comparison]:
    """Show whom the sender named beside the people who have those numbers; they see it in their log."""
    async with call.begin() as (tx, actor):
        made = await units.compare(
            tx, call.keys, actor, quarantine_id, data.reason, call.request_id, call.now
        )
    return answer(made)


@post(
    "/v1/registry/quarantine/{quarantine_id:uuid}/resolution",
    status_code=200,
    actors=("registry-officer",),
    operation_id="resolve_quarantined",
    tags=TAGS,
    problems=(NOT_WAITING, NOT_A_CANDIDATE, SECOND_OFFICER_NEEDED),
)
async def post_resolution(
    quarantine_id: FromPath[UUID], data: JSONBody[ResolveBody], call: NamedDependency[Call]
) -> Response[Worked]:
    """Choose the person: one officer proposes, a second one of another facility agrees, and it is imported.

    With null a new person is made, with none of the numbers that somebody has: at once where the unit is in
    nobody's book and nothing was proposed.
    """
    async with call.begin() as (tx, actor):
        made = await units.resolve(
            tx, call.keys, quarantine_id, data.patient_id, actor, data.reason, call.request_id, call.now
        )
    return answer(made)


@post(
    "/v1/registry/quarantine/{quarantine_id:uuid}/return",
    status_code=200,
    actors=("registry-officer",),
    operation_id="return_quarantined",
    tags=TAGS,
    problems=(NOT_WAITING,),
)
async def post_return(
    quarantine_id: FromPath[UUID], data: JSONBody[ReturnBody], call: NamedDependency[Call]
) -> Response[Worked]:
    """Delete the unit and tell its sender, in the receipt, what to look at again."""
    async with call.begin() as (tx, actor):
        made = await units.return_to_sender(tx, quarantine_id, data.code, actor, data.reason, call.now)
    return answer(made)


@get(
    "/v1/registry/reviews",
    actors=("privacy-officer",),
    operation_id="list_reviews",
    tags=TAGS,
    problems=(BAD_CURSOR,),
)
async def get_reviews(
    call: NamedDependency[Call],
    facility_id: Sender = None,
    limit: Limit = PAGE_DEFAULT,
    cursor: Cursor = None,
) -> Response[WaitingList]:
    """List the ambiguous lines that wait for a reviewer, for 30 days at most."""
    return await _page(call, "review", facility_id, limit, cursor)


@post(
    "/v1/registry/reviews/{quarantine_id:uuid}/open",
    status_code=200,
    actors=("privacy-officer",),
    operation_id="open_review",
    tags=TAGS,
    problems=(NOT_WAITING,),
)
async def post_open(
    quarantine_id: FromPath[UUID], data: JSONBody[ReasonBody], call: NamedDependency[Call]
) -> Response[Line]:
    """Show an ambiguous line, without whose it is; the reviewer's name and reason are written down."""
    async with call.begin() as (tx, actor):
        made = await reviews.open_line(tx, call.keys, actor, quarantine_id, data.reason, call.now)
    return answer(made)


@post(
    "/v1/registry/reviews/{quarantine_id:uuid}/release",
    status_code=200,
    actors=("privacy-officer",),
    operation_id="release_review",
    tags=TAGS,
    problems=(NOT_WAITING, UNIT_NOT_PLACED),
)
async def post_release(
    quarantine_id: FromPath[UUID], data: JSONBody[ReasonBody], call: NamedDependency[Call]
) -> Response[Worked]:
    """Write this line into the book that its unit went to."""
    async with call.begin() as (tx, actor):
        made = await reviews.release(
            tx, call.keys, actor, quarantine_id, data.reason, call.request_id, call.now
        )
    return answer(made)


@post(
    "/v1/registry/reviews/{quarantine_id:uuid}/withhold",
    status_code=200,
    actors=("privacy-officer",),
    operation_id="withhold_review",
    tags=TAGS,
    problems=(NOT_WAITING,),
)
async def post_withhold(
    quarantine_id: FromPath[UUID], data: JSONBody[ReasonBody], call: NamedDependency[Call]
) -> Response[Worked]:
    """Delete an ambiguous line; nothing but a count is left of it."""
    async with call.begin() as (tx, actor):
        made = await reviews.refuse_line(tx, actor, quarantine_id, data.reason, call.now)
    return answer(made)


handlers: list[Any] = [
    get_quarantine,
    post_comparison,
    post_resolution,
    post_return,
    get_reviews,
    post_open,
    post_release,
    post_withhold,
]
