"""A person's meal times: what the parts of the day in a dose text mean for this person.

Ours where the person said nothing (reminders/defaults.json). A change moves the times of plans by an event.
"""

from datetime import datetime, time
from itertools import pairwise
from typing import Final
from uuid import UUID

from kernel.access import Access
from kernel.problems import Refused
from notifications.preferences import read_preferences
from reminders.policy import SLOTS
from reminders.settings import queries
from reminders.settings.models import NAMES, Day, DayTimes, SettingRow
from reminders.settings.problems import DAY_OUT_OF_ORDER
from store.database import Tx
from store.outbox import emit

SETTINGS_CHANGED: Final = "reminders.settings-changed"
# Ours: half an hour before and after each meal stays within the day and apart from the next one.
EARLIEST: Final = time(3)
APART_MINUTES: Final = 60


async def read(tx: Tx, access: Access) -> DayTimes:
    return _shown(await queries.OF_PERSON.one(tx, access.patient_id))


async def change(tx: Tx, access: Access, times: dict[str, time], now: datetime) -> DayTimes | Refused:
    """Set all times of the day, by name; the same again changes nothing. Refused: day-out-of-order."""
    wanted = [times[name] for name in NAMES]
    if not in_order(wanted):
        return Refused(problem=DAY_OUT_OF_ORDER)
    before = await read(tx, access)
    if before.is_own and [f"{at:%H:%M}" for at in wanted] == [getattr(before, name) for name in NAMES]:
        return before
    await queries.keep(tx, access.patient_id, wanted, now)
    await emit(tx, access.patient_id, SETTINGS_CHANGED, {}, now)
    return await read(tx, access)


async def day_of(tx: Tx, patient_id: UUID) -> Day:
    """What a plan needs to know of the day of whose book it is."""
    row = await queries.OF_PERSON.one(tx, patient_id)
    zone = (await read_preferences(tx, patient_id)).zone
    if row is None:
        return Day(SLOTS, zone)
    return Day({slot: getattr(row, name) for name, slot in NAMES.items()}, zone)


def in_order(times: list[time]) -> bool:
    """Whether the day begins late enough and its parts are far enough apart. Pure."""
    minutes = [60 * at.hour + at.minute for at in times]
    return times[0] >= EARLIEST and all(later - one >= APART_MINUTES for one, later in pairwise(minutes))


def _shown(row: SettingRow | None) -> DayTimes:
    times = {name: SLOTS[slot] if row is None else getattr(row, name) for name, slot in NAMES.items()}
    return DayTimes(
        **{name: f"{at:%H:%M}" for name, at in times.items()},
        is_own=row is not None,
        version=0 if row is None else row.version,
    )
