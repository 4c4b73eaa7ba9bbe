"""The one reminder of a source that is no line of a prescription: made, changed and ended by its source.

The same again changes nothing. The person's own times stay, and what the person stopped or paused stays so.
The timer is poked first and the row locked after, as in plans.py.
"""

from datetime import date, datetime, time
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from kernel.clock import local_day
from notifications.preferences import read_preferences
from reminders import queries
from reminders.models import EndReason, Kind, Reminder
from reminders.plans import poke
from reminders.policy import next_after, retimed, sourced_id_of
from store.database import Tx


class Schedule(Struct, frozen=True, kw_only=True):
    """When a reminder rings. times: local wall times of a day. Days: `on_days` where any are named, else
    those of `weekdays` (1 is Monday, empty is every day), `every_days` apart, from starts_on (None: today)
    on. doses: how many times in all; None: until its source ends."""

    times: tuple[time, ...]
    every_days: int = 1
    weekdays: tuple[int, ...] = ()
    on_days: tuple[date, ...] = ()
    starts_on: date | None = None
    doses: int | None = None

    def is_over(self, today: date) -> bool:
        """Whether all the days that it names are past."""
        return bool(self.on_days) and max(self.on_days) < today


async def plan_source(
    tx: Tx,
    patient_id: UUID,
    kind: Kind,
    source: str,
    schedule: Schedule | None,
    now: datetime,
    *,
    reason: EndReason = "cancelled",
) -> Reminder | None:
    """Bring the reminder of a source in line with its schedule; None ends it, for a reason. Returns it as it
    stands; None where there is none."""
    reminder_id = sourced_id_of(patient_id, kind, source)
    if schedule is None and await queries.BY_ID.one(tx, patient_id, reminder_id) is None:
        return None
    await poke(tx, patient_id, reminder_id, now)
    if schedule is not None:
        zone = (await read_preferences(tx, patient_id)).zone
        await queries.insert(tx, fresh(patient_id, kind, source, zone, now))
    before = await queries.LOCK.one(tx, patient_id, reminder_id)
    assert before is not None
    after = sourced(before, schedule, reason, now)
    if after == before and before.version:
        return before
    after = replace(after, version=before.version + 1, changed_at=now)
    await queries.save(tx, after)
    return after


def sourced(before: Reminder, schedule: Schedule | None, reason: EndReason, now: datetime) -> Reminder:
    """A reminder after its source was looked at again. Pure."""
    if schedule is None:
        if before.state == "ended":
            return before
        return replace(before, state="ended", next_at=None, end_reason=reason)
    one = replace(
        before,
        every_days=schedule.every_days,
        weekdays=list(schedule.weekdays),
        on_days=sorted(schedule.on_days),
        starts_on=schedule.starts_on or (before.starts_on if before.version else local_day(now)),
        doses=schedule.doses,
    )
    if not one.own_times:
        one = replace(one, times=sorted(set(schedule.times)))
    if one.state == "stopped":
        return replace(one, next_at=None)
    is_same = before.version > 0 and one == before
    if is_same and (before.state != "ended" or before.end_reason == "used-up"):
        return before
    return _armed(before, one, now)


def _armed(before: Reminder, one: Reminder, now: datetime) -> Reminder:
    """With its next time from now on, none that came today a second time; used up where none follows."""
    after = now if one.last_at is None else max(now, one.last_at)
    next_at = next_after(one, after)
    if next_at is not None and one.times != before.times:
        next_at = retimed(before, replace(one, next_at=next_at), now).next_at
    if next_at is None:
        return replace(one, state="ended", next_at=None, end_reason="used-up")
    state = "paused" if one.state == "paused" else "active"
    return replace(one, state=state, asks=None, next_at=next_at, end_reason=None)


def fresh(patient_id: UUID, kind: Kind, source: str, zone: str, now: datetime) -> Reminder:
    """A reminder of a source before anything is known of its times."""
    return Reminder(
        patient_id=patient_id,
        reminder_id=sourced_id_of(patient_id, kind, source),
        kind=kind,
        prescription_id=None,
        line=None,
        state="active",
        asks=None,
        own_times=False,
        times=[],
        interval_hours=None,
        zone=zone,
        checks=[],
        starts_on=local_day(now),
        doses=None,
        doses_due=0,
        next_at=None,
        last_at=None,
        end_reason=None,
        version=0,
        changed_at=now,
        source=source,
    )
