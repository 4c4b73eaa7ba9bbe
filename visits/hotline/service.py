"""What hotline agents do: open, read, assign and close tickets. Every act stands in the operators' chain
under the agent's name, reading too (security.md S26): an agent has no record to read, and no other power.
"""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from audit.service import record_admin_event
from identity import budgets
from identity.practitioners import active_roles
from kernel.access import Actor, Role
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.fields import seal, unseal
from store.keys import KeyRing
from visits.consultations.models import EMERGENCY_VI
from visits.hotline import queries
from visits.hotline.models import NewTicket, Ticket, TicketLine, TicketRow
from visits.hotline.problems import TICKET_AGENT_UNKNOWN, TICKET_CLOSED, TICKET_UNKNOWN
from visits.problems import NOT_AT_A_FACILITY

ROLE: Final[Role] = "hotline-agent"
Sealed = Literal["body", "caller_name", "caller_phone", "outcome"]


class Desk(Struct, frozen=True):
    """An agent at work."""

    actor: Actor
    facility_id: UUID
    now: datetime


def desk_of(actor: Actor, now: datetime) -> Desk | Refused:
    """Refused: not-at-a-facility."""
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    return Desk(actor, actor.facility_id, now)


async def open_ticket(tx: Tx, keys: KeyRing, desk: Desk, new: NewTicket) -> TicketRow | Refused:
    """Write a caller's question down."""
    agent = budgets.subject(desk.actor.actor_id.bytes)
    spent = await budgets.charge_or_refuse(tx, budgets.TICKETS_DAY, agent, desk.now)
    if spent is not None:
        return spent
    ticket_id = uuid7(desk.now)
    body = _sealed(keys, ticket_id, "body", new.text)
    assert body is not None
    row = TicketRow(
        facility_id=desk.facility_id,
        ticket_id=ticket_id,
        topic=new.topic,
        state="open",
        body=body,
        caller_name=_sealed(keys, ticket_id, "caller_name", new.caller_name),
        caller_phone=_sealed(keys, ticket_id, "caller_phone", new.caller_phone),
        outcome=None,
        opened_by=desk.actor.actor_id,
        opened_at=desk.now,
        assigned_to=None,
        assigned_at=None,
        closed_by=None,
        closed_at=None,
    )
    await queries.INSERT.run(tx, *(getattr(row, name) for name in TicketRow.__struct_fields__))
    await _log(tx, desk, "hotline:ticket:open", str(ticket_id))
    return row


async def ticket_of(tx: Tx, desk: Desk, ticket_id: UUID) -> TicketRow | Refused:
    """A ticket of this hotline, locked."""
    row = await queries.BY_ID.one(tx, desk.facility_id, ticket_id)
    return row if row is not None else Refused(problem=TICKET_UNKNOWN)


async def read(tx: Tx, desk: Desk, ticket_id: UUID) -> TicketRow | Refused:
    """Open a ticket to see what it says."""
    row = await ticket_of(tx, desk, ticket_id)
    if not isinstance(row, Refused):
        await _log(tx, desk, "hotline:ticket:read", str(ticket_id))
    return row


async def listed(tx: Tx, desk: Desk, before: UUID, limit: int, *, running: bool) -> list[TicketLine]:
    """Newest first."""
    rows = await queries.LISTED.all(tx, desk.facility_id, running, before, limit)
    await _log(tx, desk, "hotline:tickets:list", "list", len(rows))
    return [line_of(row) for row in rows]


async def assign(tx: Tx, desk: Desk, ticket_id: UUID, agent_id: UUID) -> TicketRow | Refused:
    """Give a ticket to an agent of this hotline. Refused: ticket-closed, ticket-agent-unknown."""
    row = await _running(tx, desk, ticket_id)
    if isinstance(row, Refused):
        return row
    roles = await active_roles(tx, agent_id, desk.now)
    if not any(one.role == ROLE and one.facility_id == desk.facility_id for one in roles):
        return Refused(problem=TICKET_AGENT_UNKNOWN, where="agent_id")
    await queries.ASSIGN.run(tx, desk.facility_id, ticket_id, agent_id, desk.now)
    await _log(tx, desk, "hotline:ticket:assign", str(ticket_id))
    return replace(row, state="assigned", assigned_to=agent_id, assigned_at=desk.now)


async def close(tx: Tx, keys: KeyRing, desk: Desk, ticket_id: UUID, outcome: str) -> TicketRow | Refused:
    """Say how it ended. Refused: ticket-closed."""
    row = await _running(tx, desk, ticket_id)
    if isinstance(row, Refused):
        return row
    sealed = _sealed(keys, ticket_id, "outcome", outcome)
    await queries.CLOSE.run(tx, desk.facility_id, ticket_id, sealed, desk.actor.actor_id, desk.now)
    await _log(tx, desk, "hotline:ticket:close", str(ticket_id))
    return replace(row, state="closed", outcome=sealed, closed_by=desk.actor.actor_id, closed_at=desk.now)


async def housekeeping(tx: Tx, before: datetime, limit: int) -> int:
    """Remove tickets that were closed before that time, at most `limit`."""
    return await queries.DELETE_CLOSED.one(tx, before, limit) or 0


def line_of(row: TicketRow) -> TicketLine:
    return TicketLine(
        ticket_id=row.ticket_id,
        topic=row.topic,
        state=row.state,
        opened_at=row.opened_at,
        assigned_to=row.assigned_to,
    )


def view_of(keys: KeyRing, row: TicketRow) -> Ticket:
    return Ticket(
        emergency_vi=EMERGENCY_VI,
        ticket_id=row.ticket_id,
        topic=row.topic,
        state=row.state,
        opened_at=row.opened_at,
        assigned_to=row.assigned_to,
        text=_opened(keys, row.ticket_id, "body", row.body) or "",
        caller_name=_opened(keys, row.ticket_id, "caller_name", row.caller_name),
        caller_phone=_opened(keys, row.ticket_id, "caller_phone", row.caller_phone),
        outcome=_opened(keys, row.ticket_id, "outcome", row.outcome),
        closed_at=row.closed_at,
    )


async def _running(tx: Tx, desk: Desk, ticket_id: UUID) -> TicketRow | Refused:
    row = await ticket_of(tx, desk, ticket_id)
    if not isinstance(row, Refused) and row.state == "closed":
        return Refused(problem=TICKET_CLOSED)
    return row


async def _log(tx: Tx, desk: Desk, what: str, which: str, count: int = 1) -> None:
    """The agent by name and id, the ticket by id; nothing of what it says."""
    agent = f"{desk.actor.name} ({desk.actor.actor_id})"
    await record_admin_event(tx, agent, what, which, count, desk.now)


def _sealed(keys: KeyRing, ticket_id: UUID, column: Sealed, text: str | None) -> bytes | None:
    return None if text is None else seal(keys, ticket_id, "hotline_ticket", column, text)


def _opened(keys: KeyRing, ticket_id: UUID, column: Sealed, kept: bytes | None) -> str | None:
    return None if kept is None else unseal(keys, ticket_id, "hotline_ticket", column, kept)
