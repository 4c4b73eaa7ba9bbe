"""Appointments go after their time (healthbook/housekeeping.py): first at the facility's end, which says who
was there on which day (security.md S30), much later in the person's own book."""

from datetime import datetime

from store.database import Tx
from visits.booking import queries
from visits.safety import service as safety
from visits.slots.reading import forget, forget_empty, forget_ended


async def housekeeping_of_facilities(tx: Tx, before: datetime, limit: int) -> int:
    """Remove the facilities' ends of appointments that ended before that time, and the slots they stood in,
    at most `limit` of both together."""
    gone = await forget_ended(tx, "appointment", before, limit)
    return gone + await forget_empty(tx, "appointment", before, limit - gone)


async def housekeeping_of_schedules(tx: Tx, before: datetime, limit: int) -> int:
    """Remove schedules that were closed before that time, at most `limit`."""
    return await queries.DELETE_SCHEDULES.one(tx, before, limit) or 0


async def housekeeping(tx: Tx, before: datetime, limit: int) -> int:
    """Remove appointments that ended before that time, at both ends, at most `limit`."""
    ended = await queries.ENDED.all(tx, before, limit)
    for one in ended:
        await forget(tx, one.facility_id, one.appointment_id)
        await safety.forget(tx, one.patient_id, [one.appointment_id])
        await queries.DELETE.run(tx, one.patient_id, one.appointment_id)
    return len(ended)
