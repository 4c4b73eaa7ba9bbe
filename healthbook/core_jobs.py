"""The worker's jobs that ask another core: what a reader left for later, and the comparison at night."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from ehr.core import subscription
from ehr.core.refresh import refresh
from ehr.core.service import COMPARE, REFRESH, is_linked
from ehr.core.subscription import CATCH_UP, CHANGED, NAMED, WATCH
from ehr.ports import Core, CoreError
from kernel.clock import Clock, local_day, start_of_day
from kernel.ids import bucket_of
from store.database import Store
from store.due_queue import arm
from store.models import Due

AGAIN: Final = timedelta(minutes=5)
# Another refresh of the same person may be under way and may have asked before the change.
CHANGED_AGAIN: Final = timedelta(seconds=20)
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

    return {REFRESH: bring_up_to_date, COMPARE: compare, **_notice_jobs(store, clock, core)}


def _notice_jobs(
    store: Store, clock: Clock, core: Core | None
) -> Mapping[str, Callable[[Due], Awaitable[datetime | None]]]:
    """What a core's notices ask for (ehr/core/subscription.py)."""

    async def bring_changes(due: Due) -> datetime | None:
        if core is None or await refresh(store, clock, core, UUID(due.ref), "background", changed=True):
            return None
        down = core.state(clock.now()) != "closed"
        return clock.now() + (AGAIN if down else CHANGED_AGAIN)

    async def ask_whose(due: Due) -> datetime | None:
        try:
            if core is not None:
                await subscription.ask_whose(store, clock, core, due.ref)
        except CoreError as error:
            return None if error.fault == "broken" else clock.now() + AGAIN
        return None

    async def catch_up(due: Due) -> datetime | None:
        if core is not None and due.ref == core.source_id:
            await subscription.catch_up(store, clock, core)
        return None

    async def watch(due: Due) -> datetime | None:
        return await subscription.watch(store, clock, core) if core and due.ref == core.source_id else None

    return {CHANGED: bring_changes, NAMED: ask_whose, CATCH_UP: catch_up, WATCH: watch}


def next_night(patient_id: UUID, now: datetime) -> datetime:
    """The person's minute of the next night, always the same one."""
    tonight = start_of_day(local_day(now)) + NIGHT + timedelta(minutes=patient_id.int % NIGHT_MINUTES)
    return tonight if tonight > now else tonight + timedelta(days=1)
