"""Taking a poisoned batch back: what credentials wrote since an instant, in whosever book (S3)."""

from collections import Counter
from collections.abc import AsyncIterator, Collection
from datetime import datetime
from uuid import UUID

from ehr import revert as record
from ehr.intake import queries
from kernel.clock import Clock
from kernel.ids import uuid7
from store.database import Store

PAGE = 1000


async def revert_since(
    store: Store, clock: Clock, credentials: Collection[str], since: datetime
) -> record.Reverted:
    """Put back person by person, each in its own transaction; a second run changes nothing.

    Persons that the batch made and deaths that it reported stay: they are identity's to correct.
    """
    undo = record.Undo(credentials=frozenset(credentials), since=since, batch=uuid7(clock.now()))
    restored: Counter[str] = Counter()
    retracted: Counter[str] = Counter()
    async for patient_id in _patients(store, undo):
        async with store.transaction() as tx:
            done = await record.revert(tx, patient_id, undo, clock.now())
        restored.update(done.restored)
        retracted.update(done.retracted)
    return record.Reverted(restored=dict(restored), retracted=dict(retracted))


async def _patients(store: Store, undo: record.Undo) -> AsyncIterator[UUID]:
    """Who has a row that stands in a version of `undo`, found a page of records at a time."""
    last = UUID(int=0)
    while True:
        async with store.transaction() as tx:
            moved = await queries.MOVED_SINCE.all(tx, last, undo.since, PAGE)
            found = await queries.PATIENTS_OF_CREDENTIALS.all(tx, moved, list(undo.credentials), undo.since)
        for patient_id in found:
            yield patient_id
        if len(moved) < PAGE:
            return
        last = moved[-1]
