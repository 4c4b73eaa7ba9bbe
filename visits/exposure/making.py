"""Making a list, page by page and once, and ending it: the work of its timer.

Whatever instant the process dies at, the timer is still there and goes on after the last page.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from store.database import Tx
from store.keys import KeyRing
from visits.exposure import queries
from visits.exposure.models import ListRow
from visits.exposure.places import barred_units, is_barred, is_flagged_apart, is_listable
from visits.exposure.policy import cells, expires_at

PAGE: Final = 200
# Ours: rounded hours are kept so long, so that no list of these hours is ever rounded anew.
HOURS_KEPT: Final = timedelta(days=365)


async def step(tx: Tx, keys: KeyRing, list_id: UUID, now: datetime) -> datetime | None:
    """The next page of a list, or of its end. Returns when the timer is due again."""
    row = await queries.LOCK_LIST.one(tx, list_id)
    if row is None or row.state not in ("approved", "made"):
        return None
    if row.expires_at is not None:
        return await _end(tx, row, now)
    if not await is_listable(tx, row.facility_id):
        # It became sensitive since the approval: nobody is listed.
        return await _clear(tx, row, now)
    came = await queries.CAME.all(tx, row.facility_id, row.reached_at, row.reached_id, row.until, PAGE)
    barred = await barred_units(tx, row.facility_id, came)
    for one in came:
        is_off = one.is_flagged or is_barred(one, barred)
        if not is_off and not await is_flagged_apart(tx, row.facility_id, one):
            kept = one.check_in_id, one.patient_id, one.unit_id, one.counter_id, one.means, one.recorded_at
            await queries.INSERT_ENTRY.run(tx, list_id, *kept)
    if came:
        await queries.REACH.run(tx, list_id, came[-1].recorded_at, came[-1].check_in_id)
    return now if len(came) == PAGE else await _finish(tx, keys, row, now)


async def forget_hours(tx: Tx, before: datetime, limit: int) -> int:
    """Remove rounded counts of hours before that time, at most `limit`."""
    return await queries.DELETE_HOURS.one(tx, before, limit) or 0


async def _finish(tx: Tx, keys: KeyRing, row: ListRow, now: datetime) -> datetime:
    """Count, round and keep each hour, once for ever; then the list can be read until it ends."""
    exact = {one.hour: one.count for one in await queries.COUNT_HOURS.all(tx, row.list_id)}
    # The first key for ever, as for the statistics: a new one would round the same hours in a second way.
    made = cells(row.facility_id, row.since, row.until, exact, keys.first_secret("statistics"))
    await queries.INSERT_HOURS.run(tx, row.facility_id, list(made), list(made.values()))
    count = await queries.SUM_HOURS.one(tx, row.facility_id, row.since, row.until)
    ends = expires_at(row.since, now)
    await queries.FINISH.run(tx, row.list_id, now, ends, count or 0)
    return ends


async def _end(tx: Tx, row: ListRow, now: datetime) -> datetime | None:
    assert row.expires_at is not None
    return row.expires_at if now < row.expires_at else await _clear(tx, row, now)


async def _clear(tx: Tx, row: ListRow, now: datetime) -> datetime | None:
    if await queries.DELETE_ENTRIES.one(tx, row.list_id, PAGE):
        return now
    await queries.END.run(tx, row.list_id)
    return None
