"""Typed numbers wait seven days for a visit; what none followed is listed (security.md S7).

A number that nobody has costs the same and is listed alike (S19). Whether a visit followed stands in the
record, which healthbook/unmet_jobs.py asks.
"""

from collections.abc import Iterable
from datetime import datetime
from hmac import compare_digest
from typing import Final
from uuid import UUID

from identity.identifiers import shown_end
from kernel.ids import bucket_of
from store.database import Tx
from store.due_queue import arm
from store.fields import seal, unseal
from store.keys import KeyRing
from visits.unmet import queries
from visits.unmet.models import VISIT_WITHIN, Typed, Unmet, UnmetRow

JOB: Final = "typed-arrival"


async def note(
    tx: Tx, keys: KeyRing, facility_id: UUID, arrival_id: UUID, by: UUID, number: str, now: datetime
) -> None:
    """An account typed this national number; a repeat of one arrival changes nothing."""
    sealed = seal(keys, arrival_id, "typed_arrival", "number_sealed", number)
    await queries.INSERT.run(tx, facility_id, arrival_id, by, now, sealed)
    await arm(tx, bucket_of(arrival_id), now + VISIT_WITHIN, JOB, f"{facility_id}:{arrival_id}")


async def withdraw(tx: Tx, facility_id: UUID, arrival_id: UUID, now: datetime) -> None:
    """The desk took the arrival back: the list says so. It is judged all the same, else whoever typed a
    number to get at a record would take it out of the list."""
    await queries.WITHDRAW.run(tx, facility_id, arrival_id, now)


async def was_withdrawn(tx: Tx, facility_id: UUID, arrival_id: UUID) -> bool:
    """Whether the desk took this arrival back."""
    return bool(await queries.WAS_WITHDRAWN.one(tx, facility_id, arrival_id))


async def is_of(tx: Tx, keys: KeyRing, facility_id: UUID, arrival_id: UUID, number: str) -> bool | None:
    """Whether this number was typed for the arrival; None where none was typed, or a visit followed. Once the
    arrival is listed its number is gone, and none is of it."""
    sealed = await queries.NUMBER.one(tx, facility_id, arrival_id)
    return None if sealed is None else compare_digest(_number(keys, arrival_id, sealed), number)


async def waiting(tx: Tx, keys: KeyRing, facility_id: UUID, arrival_id: UUID) -> Typed | None:
    """What is to be judged, locked; None where it was judged or is gone."""
    row = await queries.WAITING.one(tx, facility_id, arrival_id)
    return None if row is None else Typed(_number(keys, arrival_id, row.number_sealed), row.recorded_at)


async def settle(
    tx: Tx, keys: KeyRing, facility_id: UUID, arrival_id: UUID, typed: Typed, now: datetime, *, met: bool
) -> None:
    """met: a visit followed, and nothing is kept. Else it is listed, from now on without the number."""
    if met:
        await queries.DELETE.run(tx, facility_id, arrival_id)
        return
    sealed = seal(keys, arrival_id, "typed_arrival", "number_sealed", shown_end(typed.number))
    await queries.LIST.run(tx, facility_id, arrival_id, now, sealed)


async def of_facility(
    tx: Tx, keys: KeyRing, facility_id: UUID, before: tuple[datetime, UUID], limit: int
) -> list[Unmet]:
    """What one facility typed in vain, newest first."""
    return _shown(keys, await queries.OF_FACILITY.all(tx, facility_id, *before, limit))


async def of_all(tx: Tx, keys: KeyRing, before: tuple[datetime, UUID], limit: int) -> list[Unmet]:
    """The same of every facility."""
    return _shown(keys, await queries.OF_ALL.all(tx, *before, limit))


async def housekeeping(tx: Tx, before: datetime, limit: int) -> int:
    """Remove what was typed before that time, at most `limit`."""
    return await queries.DELETE_OLD.one(tx, before, limit) or 0


def _shown(keys: KeyRing, rows: Iterable[UnmetRow]) -> list[Unmet]:
    return [
        Unmet(
            facility_id=row.facility_id,
            facility_name=row.facility_name,
            arrival_id=row.arrival_id,
            recorded_by=row.recorded_by,
            recorded_at=row.recorded_at,
            number=_number(keys, row.arrival_id, row.number_sealed),
            withdrawn_at=row.withdrawn_at,
            listed_at=row.unmet_at,
        )
        for row in rows
    ]


def _number(keys: KeyRing, arrival_id: UUID, sealed: bytes) -> str:
    return unseal(keys, arrival_id, "typed_arrival", "number_sealed", sealed)
