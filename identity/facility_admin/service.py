"""What an administrator sees of the own facility: who works there, what waits, which machines it has."""

from datetime import datetime
from uuid import UUID

from identity import budgets
from identity.facility_admin import queries
from identity.facility_admin.models import Licensed, Machine, Member, WaitingChange
from identity.problems import NOT_IN_REGISTER
from identity.register.changes import BY_ADMINISTRATORS, PROPOSAL_LIFE
from kernel.problems import Refused
from store.database import Tx


async def members_of(
    tx: Tx, facility_id: UUID, after: tuple[str, UUID] | None, limit: int, now: datetime
) -> list[Member]:
    """Roles that are in force or begin later, by name. after: name and role of the last one before."""
    name, role_id = after if after is not None else (None, None)
    return await queries.MEMBERS.all(tx, facility_id, now, name, role_id, limit)


async def licensed(tx: Tx, actor_id: UUID, licence: str, now: datetime) -> Licensed | Refused:
    """Who holds this licence, by its whole number. Refused: too-many, not-in-register."""
    refused = await budgets.charge_or_refuse(
        tx, budgets.LICENCE_LOOKS_DAY, budgets.subject(actor_id.bytes), now
    )
    if refused is not None:
        return refused
    found = await queries.LICENSED.one(tx, licence.strip())
    if found is None or found.ended_at is not None:
        return Refused(problem=NOT_IN_REGISTER, where="licence")
    return found


async def waiting_changes(
    tx: Tx, facility_id: UUID, after: UUID | None, limit: int, now: datetime
) -> list[WaitingChange]:
    """What an administrator of this facility may confirm, oldest first; a proposal waits three days."""
    since = now - PROPOSAL_LIFE
    return await queries.WAITING.all(tx, facility_id, since, sorted(BY_ADMINISTRATORS), after, limit)


async def machines_of(tx: Tx, facility_id: UUID, after: UUID | None, limit: int) -> list[Machine]:
    """In the order in which they were made, ended ones too."""
    return await queries.MACHINES.all(tx, facility_id, after, limit)
