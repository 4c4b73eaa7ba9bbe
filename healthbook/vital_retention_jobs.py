"""The worker's job in measurements: of each person it removes those whose time is over, when one is."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from uuid import UUID

from healthbook.settings import Settings
from kernel.clock import Clock
from store.database import Store
from store.models import Due
from vitals.retention.service import JOB, Retention, forget_some, next_look
from vitals.rules.ending import end_of_links


def retention_of(settings: Settings) -> Retention:
    return Retention(
        series_days=settings.vital_series_days,
        samples_days=settings.vital_samples_days,
        hours_days=settings.vital_hours_days,
        archive_days=settings.vital_archive_days,
    )


def vital_retention_jobs(
    store: Store, clock: Clock, kept: Retention
) -> Mapping[str, Callable[[Due], Awaitable[datetime | None]]]:
    """The job by its kind: a row for each person who measures (vitals/retention). One that was cut off begins
    anew: what went is gone."""

    async def forget(due: Due) -> datetime | None:
        patient_id, now = UUID(due.ref), clock.now()
        await forget_old(store, patient_id, kept, now)
        async with store.transaction() as tx:
            # Takes the head before the timers that ended limits need, as a batch does.
            again = await next_look(tx, patient_id, kept, now)
            # A proxy's time is over, or a child is fifteen: no event says so.
            await end_of_links(tx, store.keys, patient_id, now)
            return again

    return {JOB: forget}


async def forget_old(store: Store, patient_id: UUID, kept: Retention, now: datetime) -> int:
    """One person's, a transaction for each lot. Returns how many rows went."""
    rows, gone = 0, 1
    while gone:
        async with store.transaction() as tx:
            gone = await forget_some(tx, patient_id, kept, now)
        rows += gone
    return rows
