"""Counters of a facility: opened and closed by its administrator; their screens, posters and lines."""

import asyncio
from datetime import date, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.facility.desk import QrText, Ticket, ticket_view
from api.files import file_answer
from api.idempotency import PROBLEMS, create_once
from api.reading import Cursor, Limit
from api.request import Call, answer
from documents.posters import poster
from ehr.exports.problems import EXPORT_BUSY
from identity.problems import TOO_MANY, UNIT_UNKNOWN
from kernel.access import Actor
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import ProblemError, Refused
from qr.problems import CODE_PROBLEMS
from qr.screens import screen_svg
from store.database import Tx
from visits.counters import service
from visits.counters.models import Counter, NewCounter
from visits.counters.posters import poster_of
from visits.counters.problems import (
    COUNTER_SENSITIVE,
    COUNTER_TAKEN,
    COUNTER_UNKNOWN,
    COUNTERS_FULL,
    FACILITY_UNCODED,
)
from visits.counters.screens import screen_of
from visits.kiosk.enrolment import keeps_to_its_counter
from visits.kiosk.problems import KIOSK_NOT_PLACED
from visits.problems import NOT_AT_A_FACILITY
from visits.tickets import service as tickets
from visits.tickets.codes import read_at
from visits.tickets.models import InLine, ReadTicket
from visits.tickets.problems import NUMBER_UNKNOWN, TICKET_ELSEWHERE
from visits.tickets.unnamed import give

TAGS: Final = ["counters"]
BASE: Final = "/v1/facility/counters"
ONE: Final = BASE + "/{counter_id:uuid}"
ADMIN: Final = ("facility-admin",)
DESK: Final = ("nurse", "clerk", "doctor")
STAFF: Final = (*DESK, "facility-admin", "kiosk")
PDF: Final = "application/pdf"
Reason = Annotated[str, Meta(min_length=5, max_length=300)]
# As the database keeps one.
Number = Annotated[int, Meta(ge=0, lt=2**31)]


class OpenedCounter(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    counter: NewCounter


class ClosedCounter(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason


class CounterShown(Struct, kw_only=True):
    """code: as it stands in the counter's QR code and on its screen."""

    counter_id: UUID
    code: str
    name: str
    unit_id: UUID | None
    opened_at: datetime


class Counters(Struct, kw_only=True):
    """The open counters of one's own facility, by code."""

    items: list[CounterShown]


class CounterScreen(Struct, kw_only=True):
    """What the screen shows until `draw_again_at`; it counts until `expires_at`."""

    qr: str
    svg: str
    expires_at: datetime
    draw_again_at: datetime


class WaitingLine(Struct, kw_only=True):
    """The line of `day` (in Vietnam). called: the number that was called last; waiting: how many wait; items:
    a page of their numbers. `next` is opaque; null on the last page."""

    day: date
    called: int | None
    waiting: int
    items: list[InLine]
    next: str | None


class Called(Struct, kw_only=True):
    """number null: nobody waits."""

    day: date
    number: int | None


class NumberAsked(Struct, kw_only=True, forbid_unknown_fields=True):
    """client_id: made by the device; the same again is the same number."""

    client_id: UUID


class ScannedTicket(Struct, kw_only=True, forbid_unknown_fields=True):
    """qr: the text of the number's code."""

    qr: QrText


def own_facility(actor: Actor) -> UUID:
    """Raises not-at-a-facility."""
    if actor.facility_id is None:
        raise ProblemError(Refused(problem=NOT_AT_A_FACILITY))
    return actor.facility_id


async def own_counter(tx: Tx, actor: Actor, counter_id: UUID) -> Counter:
    """Raises not-at-a-facility, counter-unknown, also for a kiosk that stands at another."""
    found = await service.counter_of(tx, own_facility(actor), counter_id)
    if isinstance(found, Refused):
        raise ProblemError(found)
    refused = await keeps_to_its_counter(tx, actor, counter_id, None)
    if refused is not None:
        raise ProblemError(refused)
    return found


def _shown(row: Counter) -> CounterShown:
    return CounterShown(
        counter_id=row.counter_id,
        code=row.code,
        name=row.name,
        unit_id=row.unit_id,
        opened_at=row.opened_at,
    )


@get(BASE, actors=STAFF, operation_id="facility_counters", tags=TAGS, problems=(NOT_AT_A_FACILITY,))
async def list_counters(call: NamedDependency[Call]) -> Response[Counters]:
    """The counters that are open."""
    async with call.begin() as (tx, actor):
        found = await service.counters_of(tx, own_facility(actor))
    return answer(Counters(items=[_shown(one) for one in found]))


@post(
    BASE,
    actors=ADMIN,
    operation_id="open_counter",
    tags=TAGS,
    status_code=201,
    idempotent=True,
    problems=(NOT_AT_A_FACILITY, UNIT_UNKNOWN, COUNTER_SENSITIVE, COUNTER_TAKEN, COUNTERS_FULL, *PROBLEMS),
)
async def open_counter(data: JSONBody[OpenedCounter], call: NamedDependency[Call]) -> Response[CounterShown]:
    """Open a counter with a code of one's own."""
    async with call.begin() as (tx, actor):
        facility_id = own_facility(actor)
        made = await create_once(
            tx,
            call,
            actor,
            201,
            make=lambda: service.open_by(tx, actor, facility_id, data.counter, data.reason, call.now),
            again=lambda counter_id: service.counter_of(tx, facility_id, counter_id),
            id_of=lambda counter: counter.counter_id,
        )
    return answer(made if isinstance(made, Refused) else _shown(made))


@post(
    ONE + "/close",
    actors=ADMIN,
    operation_id="close_counter",
    tags=TAGS,
    status_code=204,
    problems=(NOT_AT_A_FACILITY, COUNTER_UNKNOWN),
)
async def close_counter(
    counter_id: FromPath[UUID], data: JSONBody[ClosedCounter], call: NamedDependency[Call]
) -> Response[None]:
    """Close a counter: its screen codes and posters open nothing from now on."""
    async with call.begin() as (tx, actor):
        done = await service.close_by(tx, actor, own_facility(actor), counter_id, data.reason, call.now)
    return answer(done, status=None if isinstance(done, Refused) else 204)


@get(
    ONE + "/screen",
    # Whoever asks for a record draws no code that makes presence (security.md S7).
    actors=("nurse", "clerk"),
    operation_id="counter_screen",
    tags=TAGS,
    problems=(NOT_AT_A_FACILITY, COUNTER_UNKNOWN, FACILITY_UNCODED),
)
async def show_screen(counter_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[CounterScreen]:
    """The rotating code of a counter: whoever scans it with the app is present."""
    async with call.begin() as (tx, actor):
        counter = await own_counter(tx, actor, counter_id)
        code = await screen_of(tx, call.keys, counter, call.now)
    if isinstance(code, Refused):
        return answer(code)
    return answer(
        CounterScreen(
            qr=code.qr, svg=screen_svg(code.qr), expires_at=code.expires_at, draw_again_at=code.draw_again_at
        )
    )


@get(
    ONE + "/poster.pdf",
    actors=ADMIN,
    operation_id="counter_poster",
    tags=TAGS,
    problems=(NOT_AT_A_FACILITY, COUNTER_UNKNOWN, FACILITY_UNCODED, EXPORT_BUSY),
    produces=PDF,
)
async def print_poster(counter_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """A poster to print: whoever scans it gets a number, and is not present by it."""
    async with call.alone(call.export_slots):
        async with call.begin() as (tx, actor):
            counter = await own_counter(tx, actor, counter_id)
            made = await poster_of(tx, call.keys, counter, call.now)
        if isinstance(made, Refused):
            return answer(made)
        async with call.export_slots.turn():
            data = await asyncio.to_thread(poster, made, call.now)
    return file_answer(f"quay-{counter.code}", PDF, data)


@get(
    ONE + "/line",
    actors=STAFF,
    operation_id="counter_line",
    tags=TAGS,
    problems=(NOT_AT_A_FACILITY, COUNTER_UNKNOWN, KIOSK_NOT_PLACED, BAD_CURSOR),
)
async def read_line(
    counter_id: FromPath[UUID],
    call: NamedDependency[Call],
    cursor: Cursor = None,
    limit: Limit = None,
) -> Response[WaitingLine]:
    """Today's line: the number that was called, and who waits. Numbers name nobody."""
    after, size = decode_cursor(cursor, tuple[Number])[0] if cursor else 0, limit or PAGE_DEFAULT
    async with call.begin() as (tx, actor):
        counter = await own_counter(tx, actor, counter_id)
        rows = await tickets.waiting(tx, counter, after, size + 1, call.now)
        line = WaitingLine(
            day=tickets.line_day(call.now),
            called=await tickets.last_called(tx, counter, call.now),
            waiting=await tickets.count_waiting(tx, counter, call.now),
            items=rows[:size],
            next=encode_cursor(rows[size - 1].number) if len(rows) > size else None,
        )
    return answer(line)


@post(
    ONE + "/calls",
    actors=DESK,
    operation_id="call_next",
    tags=TAGS,
    status_code=200,
    problems=(NOT_AT_A_FACILITY, COUNTER_UNKNOWN),
)
async def call_next(counter_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Called]:
    """Call whoever waits longest today.

    Two who call at once call two numbers; whose answer was lost reads the line, which says what was called
    last.
    """
    async with call.begin() as (tx, actor):
        counter = await own_counter(tx, actor, counter_id)
        number = await tickets.call_next(tx, counter, call.now)
    return answer(Called(day=tickets.line_day(call.now), number=number))


@post(
    ONE + "/numbers",
    actors=DESK,
    operation_id="give_number",
    tags=TAGS,
    status_code=201,
    problems=(NOT_AT_A_FACILITY, COUNTER_UNKNOWN, TOO_MANY),
)
async def give_number(
    counter_id: FromPath[UUID], data: JSONBody[NumberAsked], call: NamedDependency[Call]
) -> Response[Ticket]:
    """Give a number to somebody with no phone and no number to type: a place in the line and nothing else."""
    async with call.begin() as (tx, actor):
        counter = await own_counter(tx, actor, counter_id)
        given = await give(tx, call.keys, actor, counter, data.client_id, call.now)
    return answer(given) if isinstance(given, Refused) else answer(ticket_view(given), status=201)


@post(
    "/v1/facility/tickets/read",
    actors=(*DESK, "kiosk"),
    operation_id="read_ticket",
    tags=TAGS,
    status_code=200,
    problems=(NOT_AT_A_FACILITY, TICKET_ELSEWHERE, NUMBER_UNKNOWN, *CODE_PROBLEMS),
)
async def read_shown(data: JSONBody[ScannedTicket], call: NamedDependency[Call]) -> Response[ReadTicket]:
    """What a shown number is, and whether it is of this facility."""
    async with call.begin() as (tx, actor):
        return answer(await read_at(tx, call.keys, own_facility(actor), data.qr, call.now))


handlers: list[Any] = [
    list_counters,
    open_counter,
    close_counter,
    show_screen,
    print_poster,
    read_line,
    call_next,
    give_number,
    read_shown,
]
