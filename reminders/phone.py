"""The phone's own alarms: the plan they are set by, and which phones have it (notifications.md §8).

A phone that acknowledged a plan rings by itself for what it was shown as it still is, so that nothing of
that is pushed to it. Neither the plan nor its version says anything of what its reader does not see
(security.md S23).
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from msgspec import Struct

from identity.people import person_card
from kernel.clock import local_day
from kernel.problems import Refused
from notifications.models import NotificationType
from notifications.problems import NO_DEVICE_OF_SESSION
from reminders import queries
from reminders.kinds import KINDS
from reminders.models import Kind, Reminder
from reminders.passing import notice_id_of
from reminders.policy import times_between
from reminders.problems import PLAN_CHANGED
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
    """Every alarm until then: whatever is not in it is taken off the phone. version: the same while the
    reader is shown the same. gone: reminders that ended, were stopped or paused lately."""

    version: str
    until: datetime
    alarms: list[Alarm]
    gone: list[UUID]


class Gathered(Struct, frozen=True, kw_only=True):
    """What a plan is made of. mark: the same while nothing of it changed today."""

    version: str
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
    version = hashlib.sha256("\n".join(said).encode())
    return Gathered(
        version=version.hexdigest(),
        rings=rings,
        gone=sorted({one.reminder_id for one in rows} - ringing),
        shown=sorted({face.resource for face in faces.values() if face.resource is not None}),
        mark=hashlib.sha256(f"{local_day(now)}\n{version.hexdigest()}".encode()).digest(),
    )


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


async def give(tx: Tx, reader: Reader, found: Gathered) -> None:
    """The session's device gets these alarms: what it acknowledged of others it has no more."""
    device_id = reader.access.actor.device_id
    if device_id is not None:
        for person in reader.people:
            await queries.FORGET_ACK.run(tx, person, device_id, _rings_of(found, person))


async def acknowledge(
    tx: Tx, reader: Reader, version: str, covers_until: datetime, now: datetime
) -> Refused | None:
    """The session's device has the alarms of this plan until then. Refused: plan-changed, where it is not
    what the reader is shown now."""
    device_id = reader.access.actor.device_id
    if device_id is None:
        return Refused(problem=NO_DEVICE_OF_SESSION)
    found = await gather(tx, reader, now)
    if version != found.version:
        return Refused(problem=PLAN_CHANGED)
    until = max(now, min(covers_until, now + AHEAD))
    for person in reader.people:
        rings = _rings_of(found, person)
        await queries.FORGET_ACKS.run(tx, person, now)
        await queries.ACKNOWLEDGE.run(tx, person, device_id, rings, reader.access.is_own, until, now)
    return None


def _rings_of(found: Gathered, person: UUID) -> list[str]:
    return sorted(f"{one.reminder_id}:{one.version}" for one in found.rings if one.patient_id == person)


class Ringing(Protocol):
    """A reminder as it was when its time came."""

    @property
    def patient_id(self) -> UUID: ...
    @property
    def reminder_id(self) -> UUID: ...
    @property
    def version(self) -> int: ...
    @property
    def kind(self) -> Kind: ...


async def covered_devices(tx: Tx, rings: Sequence[tuple[Ringing, datetime]]) -> list[frozenset[UUID]]:
    """Which phones ring by themselves: for each reminder and time, in order, the devices to which nothing is
    pushed. They are the person's own, or those of whoever answers for the person.

    A phone counts for a reminder that it was shown and that was not changed since: one that got it after the
    time has no alarm for that time, and none rings beyond the days it said.
    """
    covers: list[set[UUID]] = [set() for _ in rings]
    for cover in await queries.COVERS.all(
        tx,
        [one.patient_id for one, _ in rings],
        [one.reminder_id for one, _ in rings],
        [one.version for one, _ in rings],
        [one.kind for one, _ in rings],
        [at for _, at in rings],
    ):
        covers[cover.n - 1].add(cover.device_id)
    return [frozenset(devices) for devices in covers]
