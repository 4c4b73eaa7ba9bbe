"""Keeping a check-in or a booking from guardians, proxies and emergency contacts (security.md S23).

patient_id is always the person under whom the check-in or booking is kept, so that a flag lies beside it and
goes where it goes. Nobody is told that a flag was set.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from identity.units.service import sensitive_of
from store.database import Tx
from visits.safety import queries
from visits.safety.models import Item, ItemKind, Reason


async def flag(
    tx: Tx, patient_id: UUID, kind: ItemKind, item_id: UUID, reason: Reason, now: datetime
) -> None:
    """Keep it from the family from now on; the same again changes nothing. The caller holds the item."""
    await queries.insert(tx, patient_id, item_id, kind, reason, now)


async def unflag(tx: Tx, patient_id: UUID, item_id: UUID) -> bool:
    """The person shows it again. False without such a flag; what a sensitive department keeps stays so."""
    return await queries.DELETE.one(tx, patient_id, item_id) is not None


async def flagged(tx: Tx, patient_id: UUID, item_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Which of these check-ins and bookings carry a flag."""
    if not item_ids:
        return frozenset()
    return frozenset(await queries.FLAGGED.all(tx, patient_id, list(item_ids)))


async def withheld(tx: Tx, patient_id: UUID, items: Sequence[Item]) -> frozenset[UUID]:
    """Which of these the family learns nothing of: those that carry a flag, and those at a unit that is
    sensitive now. A unit that is sensitive once stays so, so what was withheld stays withheld."""
    if not items:
        return frozenset()
    flags = await flagged(tx, patient_id, [one.item_id for one in items])
    units = await sensitive_of(tx, {one.unit_id for one in items if one.unit_id is not None})
    return flags | {one.item_id for one in items if one.unit_id in units}


async def forget(tx: Tx, patient_id: UUID, item_ids: Sequence[UUID]) -> None:
    """The check-ins or bookings themselves are removed in this transaction."""
    await queries.FORGET.run(tx, patient_id, list(item_ids))


async def housekeeping(tx: Tx, before: datetime, limit: int) -> int:
    """Remove flags that were set before that time, at most `limit`: their items are gone long since."""
    return await queries.DELETE_OLD.one(tx, before, limit) or 0
