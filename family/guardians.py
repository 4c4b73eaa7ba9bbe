"""A guardian is written down: whoever proved it, a desk or the identity provider, it stands in one way."""

from datetime import datetime
from uuid import UUID

from family import hand_over, queries
from family.models import Proof
from family.policy import SECOND_GUARDIAN_WAIT
from kernel.ids import uuid7
from store.database import Tx
from store.epoch import current
from store.keys import KeyRing
from store.outbox import emit


async def put(
    tx: Tx, keys: KeyRing, child: UUID, guardian: UUID, proof: Proof, facility_id: UUID | None, now: datetime
) -> bool:
    """Both ends of the link, what tells both people, and the timer of the next birthday. Beside a guardian
    who stands it waits for an objection. The caller locked both people and writes both logs.

    False: a court barred this guardian, and nothing was written.
    """
    starts_at = await _starts_at(tx, child, guardian, now)
    epoch = (await current(tx)).started_at
    standing = await queries.PUT_GUARDIANSHIP.one(
        tx, child, guardian, uuid7(now), proof, facility_id, now, starts_at, epoch
    )
    if standing is None:
        return False
    await queries.PUT_GUARDIANSHIP_BY_GUARDIAN.run(tx, guardian, child, standing, now)
    for book in (child, guardian):
        await emit(tx, book, "family.linked", {"link_id": str(standing)}, now)
    await emit(tx, child, "family.guardian-added", {"guardian_id": str(guardian)}, now)
    await hand_over.plan(tx, keys, child, now)
    return True


async def _starts_at(tx: Tx, child: UUID, guardian: UUID, now: datetime) -> datetime | None:
    """Nobody waits who is a guardian already, or whom no other guardian could object to."""
    if await queries.STANDS_ALREADY.one(tx, child, guardian, now):
        return None
    other = await queries.ANOTHER_STANDS.one(tx, child, guardian, now)
    return now + SECOND_GUARDIAN_WAIT if other else None
