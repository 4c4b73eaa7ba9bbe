"""Reminders before the day to come back: made, moved and ended with the record's appointments."""

from datetime import datetime
from uuid import UUID

from kernel.access import Access
from kernel.clock import local_day, start_of_day
from reminders.days import schedule_around
from reminders.revisits import queries
from reminders.revisits.reading import revisits_of
from reminders.sources import plan_source
from store.database import Tx


async def follow(tx: Tx, access: Access, patient_id: UUID, now: datetime) -> None:
    """Bring the reminders in line with the appointments ahead; again changes nothing. One whose person came
    is done; one that stands no longer is cancelled."""
    today = local_day(now)
    ahead = {one.source: one for one in await revisits_of(tx, access, start_of_day(today), now)}
    for source in await queries.STANDING.all(tx, patient_id):
        if source not in ahead:
            await plan_source(tx, patient_id, "revisit", source, None, now)
    for source, one in ahead.items():
        if one.is_done:
            await plan_source(tx, patient_id, "revisit", source, None, now, reason="done")
            continue
        schedule = schedule_around("revisit", [one.day], today)
        if schedule is not None:
            await plan_source(tx, patient_id, "revisit", source, schedule, now)
