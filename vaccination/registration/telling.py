"""The person's end of bookings that moved, and the news of it.

The registration moves with its booking, under the lock of the slot. The news is an event: in the log of a
person stands what people did, and another person's log is never written under that lock.
"""

from datetime import datetime
from uuid import UUID

from identity.merges.aliases import book_to_tell
from store.database import Tx
from store.outbox import emit
from vaccination.registration import queries
from visits.slots.models import BookingRow

EVENT = "vaccination.registration-moved"


async def keep(tx: Tx, moved: list[BookingRow], now: datetime, *, told: bool = True) -> None:
    """Write the persons' ends of these bookings, and tell each."""
    for one in moved:
        row = await queries.MOVE.one(tx, one.patient_id, one.booking_id, one.state, now)
        if row is not None and told:
            by = one.patient_id if row.is_private else row.registered_by
            await tell(tx, one.patient_id, one.booking_id, by, one.state, now)


async def tell(
    tx: Tx, patient_id: UUID, registration_id: UUID, registered_by: UUID, what: str, now: datetime
) -> None:
    """Emit the news to the person; `by`: the relative who may hear it too (healthbook/dispatch.py)."""
    ref = {
        "registration_id": str(registration_id),
        "step": f"{registration_id}:{what}",
        "by": str(registered_by),
    }
    await emit(tx, await book_to_tell(tx, patient_id, now), EVENT, ref, now)
