"""The walk after the rules rose: each book and each waiting thing is told about once, by the outbox."""

from datetime import datetime

from ehr.intake.rules import RULES_NUMBER
from ehr.quarantine.keeping import bucket_of_waiting
from ehr.rejudge import queries
from store.database import Tx
from store.outbox import emit


async def announce_rules(tx: Tx, now: datetime, limit: int) -> int:
    """Mark books and waiting things of older rules and have each judged again. Returns how many."""
    books = await queries.MARK_OLDER.all(tx, RULES_NUMBER, limit)
    for patient_id in books:
        await emit(tx, patient_id, "ehr.rules-rose", {}, now)
    waiting = await queries.OLDER_WAITING.all(tx, RULES_NUMBER, limit)
    for quarantine_id in waiting:
        await queries.MARK_WAITING.run(tx, bucket_of_waiting(quarantine_id), quarantine_id, RULES_NUMBER)
        await emit(tx, quarantine_id, "ehr.waiting-rules-rose", {"quarantine_id": str(quarantine_id)}, now)
    return max(len(books), len(waiting))
