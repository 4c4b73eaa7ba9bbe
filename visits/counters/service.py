"""Opening, closing and finding counters."""

from datetime import datetime
from typing import Final
from uuid import UUID

from audit.service import record_admin_event
from identity.problems import UNIT_UNKNOWN
from identity.units.service import is_open, sensitive_of
from kernel.access import Actor
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from visits.counters import queries
from visits.counters.models import Counter, NewCounter
from visits.counters.policy import is_telling
from visits.counters.problems import (
    COUNTER_OF_UNIT,
    COUNTER_SENSITIVE,
    COUNTER_TAKEN,
    COUNTER_UNKNOWN,
    COUNTERS_FULL,
)

# Ours: more than the halls of the largest hospital hold; one answer lists them all.
COUNTERS_MAX: Final = 500


async def open_counter(tx: Tx, facility_id: UUID, new: NewCounter, now: datetime) -> Counter | Refused:
    """A name or code that says a sensitive department stands in one: there its check-ins are kept from the
    family (security.md S23). Refused: unit-unknown, counter-sensitive, counter-taken, counters-full."""
    if new.unit_id is not None and not await is_open(tx, new.unit_id, facility_id):
        return Refused(problem=UNIT_UNKNOWN, where="unit_id")
    telling = "name" if is_telling(new.name) else "code" if is_telling(new.code) else None
    units = [] if new.unit_id is None else [new.unit_id]
    if telling is not None and not await sensitive_of(tx, units):
        return Refused(problem=COUNTER_SENSITIVE, where=telling)
    if (await queries.COUNT_OPEN.one(tx, facility_id) or 0) >= COUNTERS_MAX:
        return Refused(problem=COUNTERS_FULL)
    made = await queries.INSERT_COUNTER.one(tx, facility_id, uuid7(now), new.code, new.name, new.unit_id, now)
    return made if made is not None else Refused(problem=COUNTER_TAKEN, where="code")


async def open_by(
    tx: Tx, actor: Actor, facility_id: UUID, new: NewCounter, reason: str, now: datetime
) -> Counter | Refused:
    """The same by an administrator, into the operators' chain. Refused likewise."""
    made = await open_counter(tx, facility_id, new, now)
    if not isinstance(made, Refused):
        await record_admin_event(tx, str(actor.actor_id), "facility:counter:open", reason, 1, now)
    return made


async def close_by(
    tx: Tx, actor: Actor, facility_id: UUID, counter_id: UUID, reason: str, now: datetime
) -> Refused | None:
    """Close it by an administrator, into the operators' chain. Refused: counter-unknown."""
    refused = await close_counter(tx, facility_id, counter_id, now)
    if refused is None:
        await record_admin_event(tx, str(actor.actor_id), "facility:counter:close", reason, 1, now)
    return refused


async def close_counter(tx: Tx, facility_id: UUID, counter_id: UUID, now: datetime) -> Refused | None:
    """Its codes and posters open nothing from now on. Refused: counter-unknown."""
    closed = await queries.CLOSE_COUNTER.one(tx, facility_id, counter_id, now)
    return None if closed is not None else Refused(problem=COUNTER_UNKNOWN)


async def counter_of(tx: Tx, facility_id: UUID, counter_id: UUID) -> Counter | Refused:
    """The open counter of this facility. Refused: counter-unknown."""
    found = await queries.COUNTER_BY_ID.one(tx, facility_id, counter_id)
    return found if found is not None else Refused(problem=COUNTER_UNKNOWN, where="counter_id")


async def counter_at(tx: Tx, facility_id: UUID, counter_id: UUID, unit_id: UUID | None) -> Counter | Refused:
    """The same, of this unit where one is named: whoever comes is at one unit, and the counter's may be
    sensitive. Refused: counter-unknown, counter-of-unit."""
    found = await counter_of(tx, facility_id, counter_id)
    if isinstance(found, Refused) or unit_id is None or found.unit_id in (None, unit_id):
        return found
    return Refused(problem=COUNTER_OF_UNIT, where="counter_id")


async def counter_coded(tx: Tx, facility_id: UUID, code: str) -> Counter | Refused:
    """The open counter with this code. Refused: counter-unknown."""
    found = await queries.COUNTER_BY_CODE.one(tx, facility_id, code)
    return found if found is not None else Refused(problem=COUNTER_UNKNOWN, where="qr")


async def counters_of(tx: Tx, facility_id: UUID) -> list[Counter]:
    """All that are open, by code."""
    return await queries.OPEN_COUNTERS.all(tx, facility_id, COUNTERS_MAX)
