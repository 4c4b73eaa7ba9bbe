"""Opening, closing and finding counters."""

from datetime import datetime
from typing import Final
from uuid import UUID

from identity.problems import UNIT_UNKNOWN
from identity.units.service import is_open
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from visits.counters import queries
from visits.counters.models import Counter, NewCounter
from visits.counters.problems import COUNTER_TAKEN, COUNTER_UNKNOWN, COUNTERS_FULL

# Ours: more than the halls of the largest hospital hold; one answer lists them all.
COUNTERS_MAX: Final = 500


async def open_counter(tx: Tx, facility_id: UUID, new: NewCounter, now: datetime) -> Counter | Refused:
    """Refused: unit-unknown, counter-taken, counters-full."""
    if new.unit_id is not None and not await is_open(tx, new.unit_id, facility_id):
        return Refused(problem=UNIT_UNKNOWN, where="unit_id")
    if (await queries.COUNT_OPEN.one(tx, facility_id) or 0) >= COUNTERS_MAX:
        return Refused(problem=COUNTERS_FULL)
    made = await queries.INSERT_COUNTER.one(tx, facility_id, uuid7(now), new.code, new.name, new.unit_id, now)
    return made if made is not None else Refused(problem=COUNTER_TAKEN, where="code")


async def close_counter(tx: Tx, facility_id: UUID, counter_id: UUID, now: datetime) -> Refused | None:
    """Its codes and posters open nothing from now on. Refused: counter-unknown."""
    closed = await queries.CLOSE_COUNTER.one(tx, facility_id, counter_id, now)
    return None if closed is not None else Refused(problem=COUNTER_UNKNOWN)


async def counter_of(tx: Tx, facility_id: UUID, counter_id: UUID) -> Counter | Refused:
    """The open counter of this facility. Refused: counter-unknown."""
    found = await queries.COUNTER_BY_ID.one(tx, facility_id, counter_id)
    return found if found is not None else Refused(problem=COUNTER_UNKNOWN, where="counter_id")


async def counter_coded(tx: Tx, facility_id: UUID, code: str) -> Counter | Refused:
    """The open counter with this code. Refused: counter-unknown."""
    found = await queries.COUNTER_BY_CODE.one(tx, facility_id, code)
    return found if found is not None else Refused(problem=COUNTER_UNKNOWN, where="qr")


async def counters_of(tx: Tx, facility_id: UUID) -> list[Counter]:
    """All that are open, by code."""
    return await queries.OPEN_COUNTERS.all(tx, facility_id, COUNTERS_MAX)
