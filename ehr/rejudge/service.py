"""The walk after the rules rose: each book and each waiting thing gets a job of its own, so that a large book
holds up nobody's messages and a bad document nobody else's book."""

from datetime import datetime
from typing import Final

from ehr.intake.rules import RULES_NUMBER
from ehr.quarantine.keeping import bucket_of_waiting
from ehr.rejudge import queries
from kernel.ids import bucket_of
from store.database import Tx
from store.due_queue import schedule

BOOK_JOB: Final = "judge-book"
WAITING_JOB: Final = "judge-waiting"


async def announce_rules(tx: Tx, now: datetime, limit: int) -> int:
    """Mark books and waiting things of older rules and have each judged again. Returns how many."""
    books = await queries.OLDER.all(tx, RULES_NUMBER, limit)
    for patient_id in sorted(books):
        await queries.MARK_WAITS.run(tx, patient_id, RULES_NUMBER)
        await schedule(tx, bucket_of(patient_id), now, BOOK_JOB, str(patient_id))
    waiting = await queries.OLDER_WAITING.all(tx, RULES_NUMBER, limit)
    for quarantine_id in waiting:
        await queries.MARK_WAITING.run(tx, bucket_of_waiting(quarantine_id), quarantine_id, RULES_NUMBER)
        bucket = bucket_of_waiting(quarantine_id)
        await schedule(tx, bucket, now, WAITING_JOB, str(quarantine_id))
    return max(len(books), len(waiting))
