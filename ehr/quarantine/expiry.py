"""What waited too long goes; an event and a count are left."""

from collections import Counter
from datetime import datetime
from operator import attrgetter

from ehr.intake.counting import count
from ehr.quarantine import queries
from ehr.quarantine.keeping import note
from ehr.quarantine.models import Kind
from ehr.quarantine.units import drop
from store.database import Tx


async def expire(tx: Tx, kind: Kind, before: datetime, now: datetime, limit: int) -> int:
    """Remove what was received before that time, at most `limit`. Returns how many were found.

    Nothing is locked before it goes: whoever drops a row first has it, another worker or a sending.
    """
    rows = await queries.ENDED.all(tx, kind, before, limit)
    for row in sorted(rows, key=attrgetter("quarantine_id")):
        if not await drop(tx, row.quarantine_id):
            continue
        await note(tx, row, "expired", now)
        await count(tx, row.facility_id, row.batch or row.quarantine_id, Counter({("expired", kind): 1}), now)
    return len(rows)
