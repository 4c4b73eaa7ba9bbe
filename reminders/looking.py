"""When a book is looked at for what it asks for by itself: exams that are due, and words about food."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from kernel.ids import bucket_of
from store.database import Tx
from store.due_queue import schedule

JOB: Final = "book-look"
# Looked at again by itself, since people grow older and articles are reviewed.
AGAIN: Final = timedelta(days=30)
# What comes in several files is looked at once.
SOON: Final = timedelta(minutes=10)


async def look_at(tx: Tx, patient_id: UUID, at: datetime) -> None:
    """Have a book looked at by then."""
    await schedule(tx, bucket_of(patient_id), at, JOB, str(patient_id))
