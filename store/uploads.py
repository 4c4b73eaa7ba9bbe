"""Files on their way to a row that names them: announced before a byte is written, so that a process that
dies in between leaves nothing for ever.

The order: `announce` in a transaction → the file under that name → the row that names it, in a transaction.
The announcement is a timer; when it is due, a worker removes the file unless a row names it. Taking a file
out of a row arms the same timer at once.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from kernel.ids import bucket_of
from store.blobs import new_blob_id
from store.database import Tx
from store.due_queue import arm

JOB: Final = "unnamed-upload"
# Longer than the slowest upload takes from its announcement to its row.
NAMED_WITHIN: Final = timedelta(hours=1)


async def announce(tx: Tx, patient_id: UUID, now: datetime) -> UUID:
    """The name of a file that is about to be written for a person."""
    blob_id = new_blob_id()
    await arm(tx, bucket_of(patient_id), now + NAMED_WITHIN, JOB, _ref(patient_id, blob_id))
    return blob_id


async def discard(tx: Tx, patient_id: UUID, blob_id: UUID, now: datetime) -> None:
    """No row of this transaction names the file any more: it goes, at the latest with the next timer."""
    await arm(tx, bucket_of(patient_id), now, JOB, _ref(patient_id, blob_id))


def named_by(ref: str) -> tuple[UUID, UUID]:
    """The person and the file of a timer."""
    patient_id, blob_id = ref.split(":")
    return UUID(patient_id), UUID(blob_id)


def _ref(patient_id: UUID, blob_id: UUID) -> str:
    return f"{patient_id}:{blob_id}"
