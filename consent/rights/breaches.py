"""Breaches of personal data: written down by an operator, told to the authority within 72 hours of being
noticed (Law 91/2025; vietnam.md §9) and to the people concerned. Each act stands in the operators'
chain."""

from datetime import datetime
from typing import Final
from uuid import UUID

from audit.service import record_admin_event
from consent.rights import queries
from consent.rights.models import Breach, NewBreach
from consent.rights.policy import BREACH_TERM
from consent.rights.problems import BREACH_NOT_TOLD, UNKNOWN_BREACH
from identity.people import exists
from kernel.access import Actor
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.outbox import emit

PEOPLE_AT_ONCE: Final = 500
LISTED_MAX: Final = 100


async def record(tx: Tx, operator: Actor, new: NewBreach, now: datetime) -> Breach:
    """The clock runs from when it was noticed, not from when it is written down."""
    breach_id = uuid7(now)
    await queries.INSERT_BREACH.run(
        tx,
        breach_id,
        new.noticed_at,
        new.noticed_at + BREACH_TERM,
        sorted(set(new.kinds)),
        new.people,
        new.happened,
        new.measures,
        operator.name,
        now,
    )
    await record_admin_event(tx, operator.name, "breach:record", str(breach_id), new.people, now)
    made = await queries.LOCK_BREACH.one(tx, breach_id)
    assert made is not None
    return made


async def known(tx: Tx) -> list[Breach]:
    """The newest first."""
    return await queries.BREACHES.all(tx, LISTED_MAX)


def is_late(breach: Breach, now: datetime) -> bool:
    """Whether the authority should have been told by now, or was told too late."""
    return (breach.authority_told_at or now) > breach.notify_by


async def tell_authority(
    tx: Tx, operator: Actor, breach_id: UUID, reference: str, now: datetime
) -> Breach | Refused:
    """The authority was told; its receipt."""
    if await queries.LOCK_BREACH.one(tx, breach_id) is None:
        return Refused(problem=UNKNOWN_BREACH)
    await queries.TELL_AUTHORITY.run(tx, breach_id, now, reference)
    await record_admin_event(tx, operator.name, "breach:tell-authority", str(breach_id), 1, now)
    return await _again(tx, breach_id)


async def tell_people(
    tx: Tx, operator: Actor, breach_id: UUID, people: list[UUID], now: datetime
) -> Breach | Refused:
    """A page of the people concerned, in their inboxes; telling somebody again says nothing more."""
    if await queries.LOCK_BREACH.one(tx, breach_id) is None:
        return Refused(problem=UNKNOWN_BREACH)
    told = [one for one in sorted(set(people)) if await exists(tx, one)]
    for patient_id in told:
        await emit(tx, patient_id, "consent.breach", {"breach_id": str(breach_id)}, now)
    await queries.COUNT_TOLD.run(tx, breach_id, len(told))
    await record_admin_event(tx, operator.name, "breach:tell-people", str(breach_id), len(told), now)
    return await _again(tx, breach_id)


async def close(tx: Tx, operator: Actor, breach_id: UUID, measures: str, now: datetime) -> Breach | Refused:
    """The last word on it: what was done. Only after the authority was told; closing again changes nothing.

    Refused: breach-unknown, breach-not-told.
    """
    found = await queries.LOCK_BREACH.one(tx, breach_id)
    if found is None:
        return Refused(problem=UNKNOWN_BREACH)
    if found.authority_told_at is None:
        return Refused(problem=BREACH_NOT_TOLD)
    if found.closed_at is None:
        await queries.CLOSE_BREACH.run(tx, breach_id, now, measures)
        await record_admin_event(tx, operator.name, "breach:close", str(breach_id), 1, now)
    return await _again(tx, breach_id)


async def _again(tx: Tx, breach_id: UUID) -> Breach:
    found = await queries.LOCK_BREACH.one(tx, breach_id)
    assert found is not None
    return found
