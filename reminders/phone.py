"""The phone's own alarms: the plan they are set by, and which phones have it (notifications.md §8).

A phone that acknowledged the present plan rings by itself, so that nothing is pushed to it.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from identity.people import person_card
from kernel.clock import local_day
from kernel.problems import Refused
from notifications.models import NotificationType
from notifications.problems import NO_DEVICE_OF_SESSION
from reminders import queries
from reminders.kinds import KINDS
from reminders.models import Reminder
from reminders.passing import notice_id_of
from reminders.policy import times_between
from reminders.problems import PLAN_CHANGED
from reminders.queries import Cover
from reminders.service import SHOWN_MAX, Reader
from reminders.switches import service as switches
from store.database import Tx

AHEAD: Final = timedelta(days=14)
ALARMS_MAX: Final = 2000
# What ended is named so long, for a phone that was away.
GONE_SHOWN: Final = timedelta(days=30)


class Alarm(Struct, frozen=True, kw_only=True):
    """One time at which the phone rings once, for all these reminders. id: of the push that says the same,
    so that whichever comes second keeps still. type: what the phone says, in words of its own."""

    id: UUID
    due_at: datetime
    type: NotificationType
    reminder_ids: list[UUID]


class PhonePlan(Struct, frozen=True, kw_only=True):
    """Every alarm until then: whatever is not in it is taken off the phone. gone: reminders that ended, were
    stopped or paused lately."""

    version: int
    until: datetime
    alarms: list[Alarm]
    gone: list[UUID]


class Gathered(Struct, frozen=True, kw_only=True):
    """What a plan is made of. mark: the same while nothing of it changed today."""

    version: int
    rings: list[Reminder]
    gone: list[UUID]
    shown: list[tuple[str, str]]
    mark: bytes


async def gather(tx: Tx, reader: Reader, now: datetime) -> Gathered:
    """The reminders of a book whose cause the reader sees; of a person who is reported dead none rings."""
    rows = list[Reminder]()
    for person in reader.people:
        rows += await queries.PLANNED.all(tx, person, now - GONE_SHOWN, SHOWN_MAX)
    listed = await switches.read(tx, reader.access)
    off = {one.kind for one in listed.items if not one.is_on}
    card = await person_card(tx, reader.keys, reader.access.patient_id)
    is_alive = card is not None and card.state not in ("death-reported", "frozen", "erasing")
    faces = await reader.faces(tx, rows, now)
    rows = [one for one in rows if one.reminder_id in faces]
    rings = [one for one in rows if is_alive and one.state == "active" and one.kind not in off]
    ringing = {one.reminder_id for one in rings}
    said = sorted(f"{one.reminder_id}:{one.version}:{one.reminder_id in ringing}" for one in rows)
    return Gathered(
        version=await version_of(tx, reader),
        rings=rings,
        gone=sorted({one.reminder_id for one in rows} - ringing),
        shown=sorted({face.resource for face in faces.values() if face.resource is not None}),
        mark=hashlib.sha256("\n".join([f"{local_day(now)}", *said]).encode()).digest(),
    )


async def version_of(tx: Tx, reader: Reader) -> int:
    """Of a book: of the plans of all whose rows lie in it. It only grows, but for a merge that is undone."""
    return sum([await queries.PLAN_VERSION.one(tx, person) or 0 for person in reader.people])


def plan_of(found: Gathered, reader: Reader, now: datetime) -> PhonePlan:
    """The alarms of what was gathered, as they lie ahead."""
    book = reader.access.patient_id
    guardian = None if reader.access.is_own else reader.access.actor.actor_id
    until, alarms = now + AHEAD, dict[UUID, Alarm]()
    for one in found.rings:
        for due_at in times_between(one, until, ALARMS_MAX):
            ident = notice_id_of(one.kind, one.patient_id, due_at, book, guardian)
            first = Alarm(id=ident, due_at=due_at, type=KINDS[one.kind].type_, reminder_ids=[])
            alarms.setdefault(ident, first).reminder_ids.append(one.reminder_id)
    ordered = sorted(alarms.values(), key=lambda one: (one.due_at, one.id))
    if len(ordered) > ALARMS_MAX:
        ordered, until = ordered[:ALARMS_MAX], ordered[ALARMS_MAX].due_at
    return PhonePlan(version=found.version, until=until, alarms=ordered, gone=found.gone)


async def acknowledge(
    tx: Tx, reader: Reader, version: int, covers_until: datetime, now: datetime
) -> Refused | None:
    """The session's device has the alarms of this plan until then. Refused: plan-changed, where it is not the
    present one any more."""
    device_id = reader.access.actor.device_id
    if device_id is None:
        return Refused(problem=NO_DEVICE_OF_SESSION)
    if version != await version_of(tx, reader):
        return Refused(problem=PLAN_CHANGED)
    until = min(covers_until, now + AHEAD)
    for person in reader.people:
        await queries.FORGET_ACKS.run(tx, person, now)
        await queries.ACKNOWLEDGE.run(tx, person, device_id, until, now)
    return None


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
