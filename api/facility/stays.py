"""Who stays in which room, and the file of a day that the facility hands on itself."""

import asyncio
from datetime import date, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, PathParameter
from msgspec import Struct

from api.files import file_answer
from api.idempotency import PROBLEMS, create_once
from api.problems import INVALID_FIELD
from api.reading import Cursor, Limit
from api.request import Call, answer
from documents import csv
from identity.problems import TOO_MANY
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, PAGE_MAX, decode_cursor, encode_cursor
from kernel.problems import Refused, refuse
from store.database import Tx
from visits.lookup.service import Desk, desk_of
from visits.problems import NOT_AT_A_FACILITY
from visits.stays import service
from visits.stays.models import NewStay, Room, StayLine, When
from visits.stays.problems import STAY_ENDED, STAY_INVALID, STAY_UNKNOWN

TAGS: Final = ["desk"]
WARD: Final = ("clerk", "nurse")
READERS: Final = ("clerk", "nurse", "facility-admin")
CSV: Final = "text/csv"
ONE: Final = "/v1/facility/stays/{stay_id:uuid}"
Day = Annotated[
    str, PathParameter(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$(?!\n)", description="A day in Vietnam.")
]


class Stay(Struct, kw_only=True):
    stay_id: UUID


class Moved(Struct, kw_only=True, forbid_unknown_fields=True):
    """at: when the person came into the other room."""

    room: Room
    at: When


class Left(Struct, kw_only=True, forbid_unknown_fields=True):
    at: When


class Stays(Struct, kw_only=True):
    """Who stayed at any time of the day, by the time of arrival. `next` is opaque; null on the last page."""

    items: list[StayLine]
    next: str | None


@post(
    "/v1/facility/stays",
    status_code=201,
    actors=WARD,
    operation_id="write_stay",
    tags=TAGS,
    idempotent=True,
    problems=(NOT_AT_A_FACILITY, STAY_INVALID, TOO_MANY, *PROBLEMS),
)
async def write_stay(data: JSONBody[NewStay], call: NamedDependency[Call]) -> Response[Stay]:
    """Write down that a person was admitted: who, which room, from when.

    The answer is the same whoever has the number, and whether anybody has it.
    """
    async with call.begin() as (tx, actor):
        desk = desk_of(actor, call.request_id, call.now)
        if isinstance(desk, Refused):
            return answer(desk)
        made = await create_once(
            tx,
            call,
            actor,
            201,
            make=lambda: service.admit(tx, call.keys, desk, data),
            again=_same,
            id_of=lambda stay_id: stay_id,
        )
    return answer(made if isinstance(made, Refused) else Stay(stay_id=made))


async def _same(stay_id: UUID) -> UUID:
    return stay_id


@post(
    f"{ONE}/move",
    status_code=200,
    actors=WARD,
    operation_id="move_stay",
    tags=TAGS,
    problems=(NOT_AT_A_FACILITY, STAY_UNKNOWN, STAY_ENDED, STAY_INVALID, TOO_MANY),
)
async def move(stay_id: FromPath[UUID], data: JSONBody[Moved], call: NamedDependency[Call]) -> Response[Stay]:
    """Move a stay to another room: the line ends and another begins."""
    async with call.begin() as (tx, actor):
        desk = desk_of(actor, call.request_id, call.now)
        if isinstance(desk, Refused):
            return answer(desk)
        made = await service.move(tx, call.keys, desk, stay_id, data.room, data.at)
    return answer(made if isinstance(made, Refused) else Stay(stay_id=made))


@post(
    f"{ONE}/end",
    status_code=204,
    actors=WARD,
    operation_id="end_stay",
    tags=TAGS,
    problems=(NOT_AT_A_FACILITY, STAY_UNKNOWN, STAY_ENDED, STAY_INVALID),
)
async def end(stay_id: FromPath[UUID], data: JSONBody[Left], call: NamedDependency[Call]) -> Response[None]:
    """End a stay: the person left."""
    async with call.begin() as (tx, actor):
        desk = desk_of(actor, call.request_id, call.now)
        done = desk if isinstance(desk, Refused) else await service.end(tx, desk, stay_id, data.at)
    return answer(done)


@post(
    f"{ONE}/withdraw",
    status_code=204,
    actors=WARD,
    operation_id="withdraw_stay",
    tags=TAGS,
    problems=(NOT_AT_A_FACILITY, STAY_UNKNOWN),
)
async def withdraw(stay_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Take back a stay that was written down by mistake: the line goes."""
    async with call.begin() as (tx, actor):
        desk = desk_of(actor, call.request_id, call.now)
        done = desk if isinstance(desk, Refused) else await service.withdraw(tx, desk, stay_id)
    return answer(done)


@get(
    "/v1/facility/stays/{day:str}",
    actors=READERS,
    operation_id="stays_of_day",
    tags=TAGS,
    problems=(INVALID_FIELD, NOT_AT_A_FACILITY, BAD_CURSOR, TOO_MANY),
)
async def list_stays(
    day: Day, call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Stays]:
    """Who stayed on a day. Everybody on the page finds it in the own log."""
    size, wanted = limit or PAGE_DEFAULT, _day_of(day)
    async with call.begin() as (tx, actor):
        desk = desk_of(actor, call.request_id, call.now)
        if isinstance(desk, Refused):
            return answer(desk)
        spent = await service.may_list(tx, desk)
        if spent is not None:
            return answer(spent)
        items, following = await _page(tx, call, desk, wanted, cursor, size)
    return answer(Stays(items=items, next=following))


@get(
    "/v1/facility/stays/{day:str}/table.csv",
    actors=READERS,
    operation_id="stays_of_day_table",
    tags=TAGS,
    problems=(INVALID_FIELD, NOT_AT_A_FACILITY, TOO_MANY),
    produces=CSV,
)
async def table(day: Day, call: NamedDependency[Call]) -> Response[bytes]:
    """Who stayed on a day, as one CSV file for the residence register: person, room, from, to.

    The facility hands it on itself; nothing is sent anywhere.
    """
    wanted = _day_of(day)
    lines = await _whole_day(call, wanted)
    if isinstance(lines, Refused):
        return answer(lines)
    data = await asyncio.to_thread(csv.write, [service.HEAD, *map(service.line_of, lines)])
    return file_answer(f"stays-{wanted.isoformat()}", CSV, data)


async def _whole_day(call: Call, day: date) -> list[StayLine] | Refused:
    """Every line. A page is a transaction of its own: it writes a row into the log of each person listed."""
    lines: list[StayLine] = []
    cursor: str | None = None
    while True:
        async with call.begin() as (tx, actor):
            desk = desk_of(actor, call.request_id, call.now)
            if isinstance(desk, Refused):
                return desk
            # One file, however many pages it is read in.
            spent = await service.may_list(tx, desk) if cursor is None else None
            if spent is not None:
                return spent
            items, cursor = await _page(tx, call, desk, day, cursor, PAGE_MAX)
        lines += items
        if cursor is None:
            return lines


def _day_of(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        refuse(INVALID_FIELD, "day")


async def _page(
    tx: Tx, call: Call, desk: Desk, day: date, cursor: str | None, size: int
) -> tuple[list[StayLine], str | None]:
    after = service.FIRST if cursor is None else decode_cursor(cursor, tuple[datetime, UUID])
    found = await service.of_day(tx, call.keys, desk, day, after, size)
    last = found[-1] if len(found) == size else None
    return found, None if last is None else encode_cursor(last.since.isoformat(), str(last.stay_id))


handlers: list[Any] = [write_stay, move, end, withdraw, list_stays, table]
