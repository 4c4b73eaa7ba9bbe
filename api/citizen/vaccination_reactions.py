"""Reactions after vaccination, as people report them. Each answer begins with what to do now."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.acting import begin_for, reading_of
from api.emergency import NAMING_NUMBER
from api.idempotency import PROBLEMS, create_once
from api.reading import Cursor, Limit
from api.request import Call, answer
from ehr.cases.reading import LAST_ID
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import Refused
from vaccination.reactions import reporting
from vaccination.reactions.models import (
    EMERGENCY_EN,
    EMERGENCY_VI,
    MoreSymptoms,
    NewReaction,
    QuickReaction,
    Reaction,
    ReactionLine,
    ReactionRow,
)
from vaccination.reactions.moving import hand_of
from vaccination.reactions.problems import (
    REACTION_STATE,
    REACTION_UNKNOWN,
    REACTIONS_TOO_MANY,
    SYMPTOM_UNKNOWN,
)
from vaccination.reactions.signs import SIGNS, Sign
from vaccination.reactions.views import line_of, view_of

TAGS = ["vaccination"]
PATH = "/v1/me/vaccination/reactions"
REPORTS = (SYMPTOM_UNKNOWN, REACTIONS_TOO_MANY, *PROBLEMS)
MOVES = (REACTION_UNKNOWN, REACTION_STATE)


class Reactions(Struct, kw_only=True):
    """Reports, newest first. `next` is opaque; null on the last page."""

    emergency_vi: str
    emergency_en: str
    items: list[ReactionLine]
    next: str | None


class ReactionChoices(Struct, kw_only=True):
    """The signs to choose from. reviewed: whether a named clinician approved list, levels and advice yet."""

    emergency_vi: str
    emergency_en: str
    version: str
    source: str
    confirmed: bool
    reviewed: bool
    symptoms: list[Sign]


@get(
    f"{PATH}/choices",
    actors=("citizen",),
    operation_id="me_reaction_choices",
    tags=TAGS,
    problems=(),
)
async def choices(call: NamedDependency[Call]) -> Response[ReactionChoices]:
    """The signs of a reaction that a report can name, in words."""
    async with begin_for(call, "add-to-record"):
        return answer(
            ReactionChoices(
                emergency_vi=EMERGENCY_VI,
                emergency_en=EMERGENCY_EN,
                version=SIGNS.version,
                source=SIGNS.source,
                confirmed=SIGNS.confirmed,
                reviewed=SIGNS.reviewed,
                symptoms=SIGNS.symptoms,
            )
        )


@get(PATH, actors=("citizen",), operation_id="me_reactions", tags=TAGS, problems=(BAD_CURSOR,))
async def list_reactions(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Reactions]:
    """The reports of the person; who acts for another sees what they reported themselves."""
    before, size = decode_cursor(cursor, tuple[UUID])[0] if cursor else LAST_ID, limit or PAGE_DEFAULT
    async with begin_for(call, "add-to-record") as (tx, access):
        rows = await reporting.own_list(tx, access, before, size + 1)
        items = [await line_of(tx, row) for row in rows[:size]]
    following = encode_cursor(str(rows[size - 1].reaction_id)) if len(rows) > size else None
    return answer(
        Reactions(emergency_vi=EMERGENCY_VI, emergency_en=EMERGENCY_EN, items=items, next=following)
    )


@post(
    PATH,
    actors=("citizen",),
    operation_id="me_report_reaction",
    tags=TAGS,
    status_code=201,
    idempotent=True,
    problems=REPORTS,
    **NAMING_NUMBER,
)
async def report(data: JSONBody[NewReaction], call: NamedDependency[Call]) -> Response[Reaction]:
    """Report a reaction. `call_115` is true for a severe one, which the facility's list shows first."""
    async with begin_for(call, "add-to-record") as (tx, access):

        async def make() -> tuple[ReactionRow, bool] | Refused:
            hand = hand_of(access, call.request_id, call.now)
            reading = await reading_of(tx, call, access)
            return await reporting.report(tx, call.keys, access, reading, data, hand)

        async def again(reaction_id: UUID) -> tuple[ReactionRow, bool] | Refused:
            row = await reporting.own(tx, access, reaction_id)
            return row if isinstance(row, Refused) else (row, False)

        done = await create_once(tx, call, access.actor, 201, make, again, lambda made: made[0].reaction_id)
        if isinstance(done, Refused):
            return answer(done)
        return answer(await view_of(tx, call.keys, done[0], words_left_out=done[1]), 201)


@post(
    f"{PATH}/quick",
    actors=("citizen",),
    operation_id="me_report_reaction_quickly",
    tags=TAGS,
    status_code=201,
    idempotent=True,
    problems=REPORTS,
    **NAMING_NUMBER,
)
async def report_quickly(data: JSONBody[QuickReaction], call: NamedDependency[Call]) -> Response[Reaction]:
    """Say in a moment that something is wrong: signs alone. The dose is looked up."""
    async with begin_for(call, "add-to-record") as (tx, access):

        async def make() -> ReactionRow | Refused:
            hand = hand_of(access, call.request_id, call.now)
            reading = await reading_of(tx, call, access)
            return await reporting.report_quickly(tx, call.keys, access, reading, data, hand)

        async def again(reaction_id: UUID) -> ReactionRow | Refused:
            return await reporting.own(tx, access, reaction_id)

        row = await create_once(tx, call, access.actor, 201, make, again, lambda made: made.reaction_id)
        return answer(row if isinstance(row, Refused) else await view_of(tx, call.keys, row), 201)


@get(
    f"{PATH}/{{reaction_id:uuid}}",
    actors=("citizen",),
    operation_id="me_reaction",
    tags=TAGS,
    problems=(REACTION_UNKNOWN,),
)
async def one_reaction(reaction_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Reaction]:
    """A report with what was added and what the facility did."""
    async with begin_for(call, "add-to-record") as (tx, access):
        row = await reporting.own(tx, access, reaction_id)
        return answer(row if isinstance(row, Refused) else await view_of(tx, call.keys, row))


@post(
    f"{PATH}/{{reaction_id:uuid}}/symptoms",
    actors=("citizen",),
    operation_id="me_add_to_reaction",
    tags=TAGS,
    status_code=200,
    problems=(*MOVES, SYMPTOM_UNKNOWN),
    **NAMING_NUMBER,
)
async def add(
    reaction_id: FromPath[UUID], data: JSONBody[MoreSymptoms], call: NamedDependency[Call]
) -> Response[Reaction]:
    """Add to a report what changed. What becomes severe alerts the facility; the answer says to call 115."""
    async with begin_for(call, "add-to-record") as (tx, access):
        hand = hand_of(access, call.request_id, call.now)
        done = await reporting.add(tx, call.keys, access, reaction_id, data, hand)
        if isinstance(done, Refused):
            return answer(done)
        return answer(await view_of(tx, call.keys, done[0], words_left_out=done[1]))


@post(
    f"{PATH}/{{reaction_id:uuid}}/withdraw",
    actors=("citizen",),
    operation_id="me_withdraw_reaction",
    tags=TAGS,
    status_code=200,
    problems=MOVES,
)
async def withdraw(reaction_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Reaction]:
    """Take back a report that was a mistake."""
    async with begin_for(call, "add-to-record") as (tx, access):
        hand = hand_of(access, call.request_id, call.now)
        row = await reporting.withdraw(tx, access, reaction_id, hand)
        return answer(row if isinstance(row, Refused) else await view_of(tx, call.keys, row))


handlers: list[Any] = [choices, list_reactions, report, report_quickly, one_reaction, add, withdraw]
