"""Many people whose reminders are due now, each with a phone: what workers in processes of their own ring."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from kernel.clock import VIETNAM
from kernel.ids import bucket_of
from notifications.service import set_push_target
from reminders import queries
from reminders.models import Reminder
from reminders.plans import JOB, mark_of
from reminders.policy import ZONE, sourced_id_of
from store.database import Store, Tx
from store.due_queue import schedule
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, make_citizen

# A morning leaves over a minute: all of it is over, so that nothing waits for its second.
SPREAD = timedelta(minutes=2)
# The clock's time of day is nobody's quiet hour, whenever a suite runs.
AWAKE = (
    "INSERT INTO notification_preference_set (patient_id, zone, quiet_from, quiet_until, language, digest,"
    " muted, version, changed_at) VALUES ($1, $2, NULL, NULL, 'vi', false, '{}', 1, $3)"
)


@dataclass(frozen=True)
class Due:
    """One time of one person, as the phone should hear of it. target: where its phone is reached."""

    patient_id: UUID
    device_id: UUID
    target: str
    due_at: datetime


async def make_due(store: Store, owner: Store, now: datetime, people: int, each: int) -> list[Due]:
    """So many people with so many reminders of their own; each was due at a second of its own."""
    clock, made = FrozenClock(now), []
    for number in range(people):
        citizen = await make_citizen(store, clock)
        target = f"ok-{number:05d}-{citizen.patient_id.hex}"
        async with store.transaction() as tx:
            assert await set_push_target(tx, store.keys, citizen.actor, "fid", target, now) is None
        async with owner.transaction() as tx:
            await tx.execute(AWAKE, citizen.patient_id, ZONE, now)
        moments = [now - SPREAD - timedelta(seconds=count) for count in range(each)]
        async with store.transaction() as tx:
            await _add_reminders(tx, citizen, moments, now)
        assert citizen.actor.device_id is not None
        made += [Due(citizen.patient_id, citizen.actor.device_id, target, moment) for moment in moments]
    return made


async def _add_reminders(tx: Tx, citizen: Citizen, moments: Sequence[datetime], now: datetime) -> None:
    for moment in moments:
        one = reminder_due(citizen.patient_id, f"ringing-{moment.isoformat()}", moment, now)
        await queries.insert(tx, one)
        mark = mark_of(one.patient_id, one.reminder_id)
        await schedule(tx, bucket_of(one.patient_id), moment, JOB, mark)


def reminder_due(patient_id: UUID, source: str, due_at: datetime, now: datetime) -> Reminder:
    """One's own reminder, every day at a wall time that does not come again while a test runs."""
    an_hour_ago = (now - timedelta(hours=1)).astimezone(VIETNAM)
    return Reminder(
        patient_id=patient_id,
        reminder_id=sourced_id_of(patient_id, "measurement", source),
        kind="measurement",
        prescription_id=None,
        line=None,
        state="active",
        asks=None,
        own_times=True,
        times=[an_hour_ago.time().replace(second=0, microsecond=0)],
        interval_hours=None,
        zone=ZONE,
        checks=[],
        starts_on=an_hour_ago.date() - timedelta(days=1),
        doses=None,
        doses_due=0,
        next_at=due_at,
        last_at=None,
        end_reason=None,
        version=1,
        changed_at=now,
        source=source,
    )
