"""Declarations go so long after the day of their visit (healthbook/housekeeping.py), at both ends.

From that day, not from the day they were sent: what was declared for a booking of next month is there when
the person comes.
"""

from datetime import datetime

from kernel.clock import local_day
from store.database import Tx
from visits.declarations import queries
from visits.declarations.service import remove


async def housekeeping(tx: Tx, before: datetime, limit: int) -> int:
    """Remove what was declared for visits of that day or an earlier one, at most `limit`."""
    ended = await queries.ENDED.all(tx, local_day(before), limit)
    for one in ended:
        await remove(tx, one.patient_id, one.declaration_id, one.facility_id, one.visit_id)
    return len(ended)
