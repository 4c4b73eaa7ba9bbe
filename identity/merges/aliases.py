"""Who a person is now: the one look-up that every other one goes through."""

from datetime import datetime
from uuid import UUID

from identity import queries as identity
from identity.merges import queries
from store.database import Tx


async def survivor_of(tx: Tx, patient_id: UUID) -> UUID:
    """The person that this one was merged into, else this one. One statement, also along several merges."""
    return await queries.SURVIVOR.one(tx, patient_id) or patient_id


async def book_to_tell(tx: Tx, patient_id: UUID, now: datetime) -> UUID:
    """Whose inbox hears of what was written about a person: the survivor's only once the merged person's rows
    are seen there, for a notice names a facility."""
    survivor = await survivor_of(tx, patient_id)
    if survivor == patient_id or await queries.IS_SEEN.one(tx, survivor, patient_id, now):
        return survivor
    return patient_id


async def origins_of(tx: Tx, patient_id: UUID) -> frozenset[UUID]:
    """Everybody whose rows lie in this book since a merge, seen by the person or not yet."""
    return frozenset(row.origin_id for row in await queries.ORIGINS.all(tx, patient_id))


async def is_settled(tx: Tx, patient_id: UUID) -> bool:
    """Whether nothing of a merge is under way in this book: rows that came are here and their person's card
    was seen where that is needed, and no rows go back."""
    origins = await queries.ORIGINS.all(tx, patient_id)
    if any(one.moved_at is None or (one.needs_proof and one.proven_at is None) for one in origins):
        return False
    for merge_id in await queries.MERGES_OF_PERSON.all(tx, patient_id):
        merge = await queries.MERGE_BY_ID.one(tx, merge_id)
        if merge is not None and merge.state in ("moving", "returning"):
            return False
    return True


async def is_held(tx: Tx, patient_id: UUID, since: datetime) -> bool:
    """Whether a thing of this person that was made then is held by a merge (security.md S10)."""
    return bool(await identity.IS_HELD.one(tx, patient_id, since))
