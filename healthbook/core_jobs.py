"""The worker's jobs that ask another core: what a reader left for later, and the comparison at night."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from ehr.core.refresh import refresh
from ehr.core.service import COMPARE, REFRESH, is_linked
from ehr.ports import Core
from kernel.clock import Clock, local_day, start_of_day
from kernel.ids import bucket_of
from store.database import Store
from store.due_queue import arm
from store.models import Due

AGAIN: Final = timedelta(minutes=5)
# Comparisons begin at two in the morning in Vietnam and are spread over three hours.
NIGHT: Final = timedelta(hours=2)
NIGHT_MINUTES: Final = 180


def core_jobs(
    store: Store, clock: Clock, core: Core | None
) -> Mapping[str, Callable[[Due], Awaitable[datetime | None]]]:
    """The jobs by kind. Without a core, rows of one that was taken away end unasked."""

    async def bring_up_to_date(due: Due) -> datetime | None:
        if core is None:
            return None
        patient_id = UUID(due.ref)
        if not await refresh(store, clock, core, patient_id, "background"):
            return clock.now() + AGAIN
        async with store.transaction() as tx:
            if await is_linked(tx, core, patient_id):
                await arm(tx, bucket_of(patient_id), next_night(patient_id, clock.now()), COMPARE, due.ref)
        return None

    async def compare(due: Due) -> datetime | None:
        if core is None:
            return None
        patient_id = UUID(due.ref)
        if not await refresh(store, clock, core, patient_id, "background", whole=True):
            return clock.now() + AGAIN
        async with store.transaction() as tx:
            linked = await is_linked(tx, core, patient_id)
        return next_night(patient_id, clock.now()) if linked else None

    return {REFRESH: bring_up_to_date, COMPARE: compare}


def next_night(patient_id: UUID, now: datetime) -> datetime:
    """The person's minute of the next night, always the same one."""
    tonight = start_of_day(local_day(now)) + NIGHT + timedelta(minutes=patient_id.int % NIGHT_MINUTES)
    return tonight if tonight > now else tonight + timedelta(days=1)
