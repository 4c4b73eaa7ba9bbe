"""The phone's own alarms: which phones have the present plan and ring by themselves (notifications.md §8)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from reminders import queries
from reminders.queries import Cover
from store.database import Tx


async def covered_devices(tx: Tx, ids: Sequence[UUID], due: Sequence[datetime]) -> list[frozenset[UUID]]:
    """Which phones ring by themselves: for each person and due time, in order, the devices to which nothing
    is pushed. ids: whose reminders; the devices are their own, or those of whoever answers for them.

    A phone counts while it has the present plan: one that got it after the time has no alarm for that time,
    and none rings beyond the days it said.
    """
    covers: dict[UUID, list[Cover]] = defaultdict(list)
    for cover in await queries.COVERS.all(tx, sorted(set(ids))):
        covers[cover.patient_id].append(cover)
    return [
        frozenset(cover.device_id for cover in covers[one] if cover.at <= at < cover.covers_until)
        for one, at in zip(ids, due, strict=True)
    ]
