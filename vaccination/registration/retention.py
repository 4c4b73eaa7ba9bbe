"""Registrations go after their time (healthbook/housekeeping.py), at both ends."""

from datetime import datetime

from store.database import Tx
from vaccination.registration import queries
from visits.slots.reading import forget, forget_empty


async def housekeeping(tx: Tx, before: datetime, limit: int) -> int:
    """Remove registrations of slots that ended before that time, and those slots, at most `limit` of both."""
    ended = await queries.ENDED.all(tx, before, limit)
    for one in ended:
        await forget(tx, one.facility_id, one.registration_id)
        await queries.DELETE.run(tx, one.patient_id, one.registration_id)
    return len(ended) + await forget_empty(tx, "campaign", before, limit - len(ended))
