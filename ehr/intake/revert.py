"""Taking a poisoned batch back: what credentials wrote since an instant, in whosever book (S3)."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from ehr import revert as record
from ehr.intake import queries
from kernel.clock import Clock
from kernel.ids import uuid7
from store.database import Store


async def revert_since(
    store: Store, clock: Clock, credentials: Collection[str], since: datetime
) -> record.Reverted:
    """Put back person by person, each in its own transaction; a second run changes nothing.

    Persons that the batch made and deaths that it reported stay: they are identity's to correct.
    """
    async with store.transaction() as tx:
        patients = await queries.PATIENTS_OF_CREDENTIALS.all(tx, list(credentials), since)
    undo = record.Undo(credentials=frozenset(credentials), since=since, batch=uuid7(clock.now()))
    restored: Counter[str] = Counter()
    retracted: Counter[str] = Counter()
    for patient_id in patients:
        async with store.transaction() as tx:
            done = await record.revert(tx, patient_id, undo, clock.now())
        restored.update(done.restored)
        retracted.update(done.retracted)
    return record.Reverted(restored=dict(restored), retracted=dict(retracted))
