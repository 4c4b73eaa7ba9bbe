"""Lists of who was at a facility: one asks, another approves, both read (security.md S30)."""

from datetime import UTC
from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.idempotency import PROBLEMS, create_once
from api.reading import Cursor, Limit
from api.request import Call, answer
from ehr.cases.reading import LAST_ID
from identity.problems import TOO_MANY
from kernel.access import Actor
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import Refused
from visits.exposure import service
from visits.exposure.models import Asked, Decision, ExposedPerson, ExposureList, ListRow, Zoned
from visits.exposure.problems import (
    EXPOSURE_ENDED,
    EXPOSURE_NOT_ALLOWED,
    EXPOSURE_STATE,
    EXPOSURE_UNKNOWN,
)

TAGS: Final = ["exposure-lists"]
ACTORS: Final = ("department-analyst",)
BASE: Final = "/v1/department/exposure-lists"
ONE: Final = BASE + "/{list_id:uuid}"


class ExposureLists(Struct, kw_only=True):
    """Lists, newest first. `next` is opaque; null on the last page."""

    items: list[ExposureList]
    next: str | None


class ExposedPeople(Struct, kw_only=True):
    """Visits of a list, oldest first. `next` is opaque; null on the last page."""

    items: list[ExposedPerson]
    next: str | None


def _view(row: ListRow | Refused, actor: Actor, status: int = 200) -> Response[ExposureList]:
    return answer(row if isinstance(row, Refused) else service.shown(row, actor), status=status)


def page_of(rows: list[ListRow], size: int, actor: Actor) -> ExposureLists:
    """rows: one more than fit, where there are more."""
    following = encode_cursor(str(rows[size - 1].list_id)) if len(rows) > size else None
    return ExposureLists(items=[service.shown(row, actor) for row in rows[:size]], next=following)


@post(
    BASE,
    actors=ACTORS,
    operation_id="ask_exposure_list",
    tags=TAGS,
    status_code=201,
    idempotent=True,
    problems=(EXPOSURE_NOT_ALLOWED, EXPOSURE_UNKNOWN, TOO_MANY, *PROBLEMS),
)
async def ask(data: JSONBody[Asked], call: NamedDependency[Call]) -> Response[ExposureList]:
    """Ask for who came to one facility in at most 72 hours; nothing is listed before another approves."""
    async with call.begin() as (tx, actor):
        row = await create_once(
            tx,
            call,
            actor,
            201,
            make=lambda: service.ask(tx, actor, data, call.now),
            again=lambda list_id: service.one(tx, list_id),
            id_of=lambda made: made.list_id,
        )
    return _view(row, actor, 201)


@get(BASE, actors=ACTORS, operation_id="exposure_lists", tags=TAGS, problems=(BAD_CURSOR,))
async def list_all(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[ExposureLists]:
    """Every list of arrivals that was asked for, newest first, without anybody on it."""
    before, size = decode_cursor(cursor, tuple[UUID])[0] if cursor else LAST_ID, limit or PAGE_DEFAULT
    async with call.begin() as (tx, actor):
        rows = await service.all_lists(tx, before, size + 1)
    return answer(page_of(rows, size, actor))


@get(ONE, actors=ACTORS, operation_id="exposure_list", tags=TAGS, problems=(EXPOSURE_UNKNOWN,))
async def one(list_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[ExposureList]:
    """One list of arrivals: hours, basis and state, without anybody on it."""
    async with call.begin() as (tx, actor):
        return _view(await service.one(tx, list_id), actor)


@post(
    ONE + "/decide",
    actors=ACTORS,
    operation_id="decide_exposure_list",
    tags=TAGS,
    status_code=200,
    problems=(EXPOSURE_UNKNOWN, EXPOSURE_STATE, EXPOSURE_NOT_ALLOWED),
)
async def conclude(
    list_id: FromPath[UUID], data: JSONBody[Decision], call: NamedDependency[Call]
) -> Response[ExposureList]:
    """Approve or refuse a list that somebody else asked for, within three days."""
    async with call.begin() as (tx, actor):
        return _view(await service.conclude(tx, actor, list_id, data, call.now), actor)


@get(
    ONE + "/people",
    actors=ACTORS,
    operation_id="exposure_list_people",
    tags=TAGS,
    problems=(BAD_CURSOR, EXPOSURE_UNKNOWN, EXPOSURE_STATE, EXPOSURE_ENDED, EXPOSURE_NOT_ALLOWED),
)
async def people(
    list_id: FromPath[UUID], call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[ExposedPeople]:
    """Who is on a list, for whoever asked and whoever approved; each person shown finds it in the own log."""
    after, size = decode_cursor(cursor, tuple[Zoned, UUID]) if cursor else None, limit or PAGE_DEFAULT
    async with call.begin() as (tx, actor):
        where = after, size, call.request_id, call.now
        found = await service.people(tx, call.keys, actor, list_id, *where)
    if isinstance(found, Refused):
        return answer(found)
    items, last = found
    following = encode_cursor(last[0].astimezone(UTC).isoformat(), str(last[1])) if last else None
    return answer(ExposedPeople(items=items, next=following))


handlers: list[Any] = [ask, list_all, one, conclude, people]
