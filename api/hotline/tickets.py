"""The hotline's desk. Its agents see tickets and no record: no other route lets them in."""

from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.facility.cases import Running
from api.idempotency import PROBLEMS, create_once
from api.reading import Cursor, Limit
from api.request import Call, answer
from ehr.cases.reading import LAST_ID
from ehr.intake.plain import is_stopped
from identity.problems import TOO_MANY
from kernel.access import Actor
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import ProblemError, Refused
from store.database import Tx
from visits.hotline import service
from visits.hotline.models import NewTicket, Ticket, TicketLine, TicketRow, Topic
from visits.hotline.problems import TICKET_AGENT_UNKNOWN, TICKET_CLOSED, TICKET_UNKNOWN, TICKET_WITHHELD
from visits.problems import NOT_AT_A_FACILITY

TAGS = ["tickets"]
AGENTS: Final = ("hotline-agent",)
CHANGING = (TICKET_UNKNOWN, TICKET_CLOSED, NOT_AT_A_FACILITY)
Words = Annotated[str, Meta(min_length=1, max_length=2000)]


class TicketRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """caller_name and caller_phone only where the caller wants to be called back; they are kept sealed."""

    topic: Topic
    text: Words
    caller_name: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    caller_phone: Annotated[str, Meta(pattern=r"^\+?[0-9 ]{8,15}$(?!\n)")] | None = None


class Assignment(Struct, kw_only=True, forbid_unknown_fields=True):
    """agent_id: of this hotline; without it the caller of this route."""

    agent_id: UUID | None = None


class Outcome(Struct, kw_only=True, forbid_unknown_fields=True):
    text: Words


class Tickets(Struct, kw_only=True):
    """Tickets, newest first. `next` is opaque; null on the last page."""

    items: list[TicketLine]
    next: str | None


def _desk(call: Call, actor: Actor) -> service.Desk:
    desk = service.desk_of(actor, call.now)
    if isinstance(desk, Refused):
        raise ProblemError(desk)
    return desk


async def _withheld(tx: Tx, call: Call, actor: Actor, *texts: str | None) -> Refused | None:
    told = "\n".join(text for text in texts if text)
    stopped = await is_stopped(tx, actor.actor_id, told, call.now)
    return Refused(problem=TICKET_WITHHELD) if stopped else None


@get(
    "/v1/hotline/tickets",
    actors=AGENTS,
    operation_id="hotline_tickets",
    tags=TAGS,
    problems=(BAD_CURSOR, NOT_AT_A_FACILITY),
)
async def list_tickets(
    call: NamedDependency[Call], running: Running = True, cursor: Cursor = None, limit: Limit = None
) -> Response[Tickets]:
    """The tickets of this hotline."""
    before, size = decode_cursor(cursor, tuple[UUID])[0] if cursor else LAST_ID, limit or PAGE_DEFAULT
    async with call.begin() as (tx, actor):
        found = await service.listed(tx, _desk(call, actor), before, size + 1, running=running)
    following = encode_cursor(str(found[size - 1].ticket_id)) if len(found) > size else None
    return answer(Tickets(items=found[:size], next=following))


@post(
    "/v1/hotline/tickets",
    actors=AGENTS,
    operation_id="hotline_open_ticket",
    tags=TAGS,
    status_code=201,
    idempotent=True,
    problems=(TICKET_WITHHELD, TOO_MANY, NOT_AT_A_FACILITY, *PROBLEMS),
)
async def open_ticket(data: JSONBody[TicketRequest], call: NamedDependency[Call]) -> Response[Ticket]:
    """Write down what a caller asks."""
    async with call.begin() as (tx, actor):
        withheld = await _withheld(tx, call, actor, data.text, data.caller_name)
        row = withheld or await _opened(tx, call, _desk(call, actor), data)
        return answer(row if isinstance(row, Refused) else service.view_of(call.keys, row), status=201)


async def _opened(tx: Tx, call: Call, desk: service.Desk, data: TicketRequest) -> TicketRow | Refused:
    async def make() -> TicketRow | Refused:
        new = NewTicket(
            topic=data.topic,
            text=data.text,
            caller_name=data.caller_name,
            caller_phone=data.caller_phone,
        )
        return await service.open_ticket(tx, call.keys, desk, new)

    async def again(ticket_id: UUID) -> TicketRow | Refused:
        return await service.read(tx, desk, ticket_id)

    return await create_once(tx, call, desk.actor, 201, make, again, lambda row: row.ticket_id)


@get(
    "/v1/hotline/tickets/{ticket_id:uuid}",
    actors=AGENTS,
    operation_id="hotline_ticket",
    tags=TAGS,
    problems=(TICKET_UNKNOWN, NOT_AT_A_FACILITY),
)
async def one_ticket(ticket_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Ticket]:
    """A ticket whole."""
    async with call.begin() as (tx, actor):
        row = await service.read(tx, _desk(call, actor), ticket_id)
        return answer(row if isinstance(row, Refused) else service.view_of(call.keys, row))


@post(
    "/v1/hotline/tickets/{ticket_id:uuid}/assign",
    actors=AGENTS,
    operation_id="hotline_assign_ticket",
    tags=TAGS,
    status_code=200,
    problems=(TICKET_AGENT_UNKNOWN, *CHANGING),
)
async def assign(
    ticket_id: FromPath[UUID], data: JSONBody[Assignment], call: NamedDependency[Call]
) -> Response[Ticket]:
    """Give a ticket to an agent."""
    async with call.begin() as (tx, actor):
        row = await service.assign(tx, _desk(call, actor), ticket_id, data.agent_id or actor.actor_id)
        return answer(row if isinstance(row, Refused) else service.view_of(call.keys, row))


@post(
    "/v1/hotline/tickets/{ticket_id:uuid}/close",
    actors=AGENTS,
    operation_id="hotline_close_ticket",
    tags=TAGS,
    status_code=200,
    problems=(TICKET_WITHHELD, *CHANGING),
)
async def close(
    ticket_id: FromPath[UUID], data: JSONBody[Outcome], call: NamedDependency[Call]
) -> Response[Ticket]:
    """Close a ticket and say how it ended."""
    async with call.begin() as (tx, actor):
        withheld = await _withheld(tx, call, actor, data.text)
        row = withheld or await service.close(tx, call.keys, _desk(call, actor), ticket_id, data.text)
        return answer(row if isinstance(row, Refused) else service.view_of(call.keys, row))


handlers: list[Any] = [list_tickets, open_ticket, one_ticket, assign, close]
