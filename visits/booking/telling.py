"""The person's end of bookings that moved, and the news of it.

The appointment moves with its booking, under the lock of the slot. The news is an event: in the log of a
person stands what people did, and another person's log is never written under that lock.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from identity.merges.aliases import book_to_tell
from store.database import Tx
from store.outbox import emit
from visits.booking import queries
from visits.slots.models import BookingRow

MOVED: Final = "visit.appointment-moved"
# Reminders follow every act, also those of which nobody needs to be told.
NOTED: Final = "visit.appointment-noted"


async def keep(tx: Tx, moved: list[BookingRow], now: datetime, *, told: bool = True) -> None:
    """Write the persons' ends of these bookings, and tell each; nobody rings for a hold that was left."""
    for one in moved:
        row = await queries.MOVE.one(tx, one.patient_id, one.booking_id, one.state, now)
        is_left = one.state == "lapsed" and one.held_until is not None
        if row is not None and told and not is_left:
            await tell(tx, one.patient_id, one.booking_id, row.booked_by, one.state, now)


async def tell(
    tx: Tx, patient_id: UUID, appointment_id: UUID, booked_by: UUID | None, what: str, now: datetime
) -> None:
    """Emit the news to the person; `by`: the relative who may hear it too, if nothing is kept from the family
    by then (healthbook/dispatch.py)."""
    ref = {
        "appointment_id": str(appointment_id),
        "step": f"{appointment_id}:{what}",
        "by": str(booked_by or patient_id),
    }
    await emit(tx, await book_to_tell(tx, patient_id, now), MOVED, ref, now)
