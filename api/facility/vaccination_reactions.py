"""Reactions that people report after a dose of this facility: severe ones first, each with its clock."""

from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Struct

from api.reading import Cursor, Limit
from api.request import Answer, Call, answer
from ehr.cases.reading import LAST_ID
from kernel.access import Actor
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import Refused
from vaccination.reactions import handling
from vaccination.reactions.models import (
    Ending,
    FacilityReaction,
    FacilityReactionLine,
    Note,
    ReactionAct,
)
from vaccination.reactions.moving import Hand
from vaccination.reactions.problems import (
    REACTION_STATE,
    REACTION_UNKNOWN,
    REACTION_UNTOLD,
    REACTION_WITHHELD,
)
from visits.problems import NOT_AT_A_FACILITY

TAGS = ["vaccination"]
PATH = "/v1/facility/vaccination/reactions"
STAFF: Final = ("doctor", "nurse", "vaccinator")
MOVES = (REACTION_UNKNOWN, REACTION_STATE, NOT_AT_A_FACILITY)
# Behind every row.
_FIRST: Final = (2, LAST_ID)

Running = Annotated[bool, QueryParameter(description="Only reports that nobody closed.")]


class FacilityReactions(Struct, kw_only=True):
    """Reports, severe ones first, then the newest. `next` is opaque; null on the last page."""

    items: list[FacilityReactionLine]
    next: str | None


class FollowUp(Struct, kw_only=True, forbid_unknown_fields=True):
    """text: what was found and done; who reported reads it."""

    text: Note


def _hand(call: Call, actor: Actor) -> Hand:
    return Hand(actor=actor, request_id=call.request_id, now=call.now)


@get(
    PATH,
    actors=(*STAFF, "facility-system"),
    operation_id="facility_reactions",
    tags=TAGS,
    problems=(BAD_CURSOR, NOT_AT_A_FACILITY),
)
async def list_reactions(
    call: NamedDependency[Call], running: Running = True, cursor: Cursor = None, limit: Limit = None
) -> Response[FacilityReactions]:
    """Which reports came, how severe, until when the health department is to be told; no words, no name."""
    before = decode_cursor(cursor, tuple[int, UUID]) if cursor else _FIRST
    size = limit or PAGE_DEFAULT
    async with call.begin() as (tx, actor):
        found = await handling.waiting(tx, actor, before, size + 1, running=running)
    if isinstance(found, Refused):
        return answer(found)
    last = found[size - 1] if len(found) > size else None
    following = encode_cursor(last.urgency, str(last.reaction_id)) if last is not None else None
    items = [handling.line_of(row) for row in found[:size]]
    return answer(FacilityReactions(items=items, next=following))


@get(
    f"{PATH}/{{reaction_id:uuid}}",
    actors=STAFF,
    operation_id="facility_reaction",
    tags=TAGS,
    problems=(REACTION_UNKNOWN, NOT_AT_A_FACILITY),
)
async def one_reaction(
    reaction_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[FacilityReaction]:
    """A report whole; that it was opened, and by whom, stands in the person's log."""
    async with call.begin() as (tx, actor):
        return answer(await handling.open_report(tx, call.keys, reaction_id, _hand(call, actor)))


@post(
    f"{PATH}/{{reaction_id:uuid}}/acknowledge",
    actors=STAFF,
    operation_id="facility_acknowledge_reaction",
    tags=TAGS,
    status_code=200,
    problems=MOVES,
)
async def acknowledge(
    reaction_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[FacilityReactionLine]:
    """Say that the facility looks after a reaction; whoever reported it is told."""
    return await _moved(call, reaction_id, "acknowledge")


@post(
    f"{PATH}/{{reaction_id:uuid}}/authority-told",
    actors=STAFF,
    operation_id="facility_told_authority_of_reaction",
    tags=TAGS,
    status_code=200,
    problems=MOVES,
)
async def authority_told(
    reaction_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[FacilityReactionLine]:
    """Note that the health department and the CDC were told: the 24-hour clock stops."""
    return await _moved(call, reaction_id, "tell-authority")


@post(
    f"{PATH}/{{reaction_id:uuid}}/follow-up",
    actors=STAFF,
    operation_id="facility_follow_up_reaction",
    tags=TAGS,
    status_code=200,
    problems=(*MOVES, REACTION_WITHHELD),
)
async def follow_up(
    reaction_id: FromPath[UUID], data: JSONBody[FollowUp], call: NamedDependency[Call]
) -> Response[FacilityReactionLine]:
    """Write what was found and done about a reaction."""
    async with call.begin() as (tx, actor):
        hand = _hand(call, actor)
        return answer(await handling.follow_up(tx, call.keys, reaction_id, data.text, hand))


@post(
    f"{PATH}/{{reaction_id:uuid}}/outcome",
    actors=STAFF,
    operation_id="facility_close_reaction",
    tags=TAGS,
    status_code=200,
    problems=(*MOVES, REACTION_UNTOLD),
)
async def close(
    reaction_id: FromPath[UUID], data: JSONBody[Ending], call: NamedDependency[Call]
) -> Response[FacilityReactionLine]:
    """Close a report of a reaction with its outcome and how severe it was found."""
    return await _moved(call, reaction_id, "close", data)


async def _moved(call: Call, reaction_id: UUID, act: ReactionAct, ending: Ending | None = None) -> Answer:
    async with call.begin() as (tx, actor):
        hand = _hand(call, actor)
        return answer(await handling.staff_move(tx, reaction_id, act, hand, ending))


handlers: list[Any] = [list_reactions, one_reaction, acknowledge, authority_told, follow_up, close]
