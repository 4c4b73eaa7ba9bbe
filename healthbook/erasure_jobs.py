"""The worker's job that erases people (consent/rights/erasing.py)."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from uuid import UUID

from consent.rights.erasing import erase
from consent.rights.service import ERASE_JOB
from kernel.clock import Clock
from store.database import Store
from store.models import Due


def erasure_jobs(store: Store, clock: Clock) -> Mapping[str, Callable[[Due], Awaitable[datetime | None]]]:
    """The jobs by kind; a run that dies goes on where it was."""

    async def erase_person(due: Due) -> datetime | None:
        return await erase(store, clock, UUID(due.ref))

    return {ERASE_JOB: erase_person}
