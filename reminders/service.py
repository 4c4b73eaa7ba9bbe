"""The reminders of a book as somebody sees them, and what the person changes of them.

A reminder whose cause an access does not see does not exist for it: what the medicine, the appointment or
the card is comes from where it stands, each time anew.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from typing import Final, Literal, TypeAlias
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from ehr.prescriptions.models import PlanLine
from ehr.reads.models import Built
from ehr.reads.raw import encode
from kernel.access import Access
from kernel.problems import Refused
from reminders import cards, medicines, queries
from reminders.care_plans import reading as care_plans
from reminders.doubts import Doubts, doubts_of, told_of
from reminders.faces import Face, Faces, faces_of
from reminders.models import Reminder
from reminders.nutrition import service as nutrition
from reminders.orders import reading as orders
from reminders.own import reading as own
from reminders.plans import armed, doses_with, plan_for, poke
from reminders.policy import VERSION, days_of_doses, next_after, phases_of
from reminders.problems import NO_SUCH_REMINDER, REMINDER_NOT_OPEN
from reminders.revisits import letters
from reminders.revisits import reading as revisits
from reminders.screening import service as screening
from reminders.shown import Reminders, ReminderShown, phase_shown
from reminders.texts import AMOUNT_RANGE_VI, AS_NEEDED_VI, ASKS_VI, END_UNSAID_VI, NOTICE_VI, WHY_VI
from store.database import Tx
from store.keys import KeyRing

SHOWN_MAX: Final = 200
ENDED_SHOWN: Final = timedelta(days=7)
# By what a reminder came from; those of other domains are given along (api/reminding.py).
MAKERS: Final[Mapping[str, Faces]] = {
    "prescription": medicines.faces,
    "order": orders.faces,
    "appointment": revisits.faces,
    "referral": letters.faces,
    "insurance": cards.faces,
    "care-plan": care_plans.faces,
    "own": own.faces,
    "screening": screening.faces,
    "nutrition": nutrition.faces,
}

Act = Literal["pause", "resume", "stop"]
Change: TypeAlias = Callable[[Reminder, Face], Reminder | None]


class Changed(Struct, frozen=True):
    """A reminder after a change, and what of the record the log names with it."""

    shown: ReminderShown
    face: Face


class Reader(Struct, frozen=True):
    """Who reads, and the faces of other domains."""

    keys: KeyRing
    access: Access
    beside: Mapping[str, Faces]

    async def faces(self, tx: Tx, rows: list[Reminder], now: datetime) -> dict[UUID, Face]:
        return await faces_of(tx, self.keys, self.access, rows, now, {**MAKERS, **self.beside})

    @property
    def people(self) -> tuple[UUID, ...]:
        return (self.access.patient_id, *sorted(self.access.origins))


async def read(tx: Tx, reader: Reader, now: datetime) -> Built:
    """Every plan of the book that stands or ended lately, the next to ring first."""
    found: list[Reminder] = []
    for person in reader.people:
        found += await queries.SHOWN.all(tx, person, now - ENDED_SHOWN, SHOWN_MAX)
    faces = await reader.faces(tx, found, now)
    seen = [one for one in found if one.reminder_id in faces]
    doubts = await doubts_of(tx, reader.access, seen, now)
    items = sorted(
        (shown(one, faces[one.reminder_id], doubts) for one in seen),
        key=lambda item: (item.next_at is None, item.next_at or now),
    )
    resources = [face.resource for face in faces.values() if face.resource is not None]
    body = Reminders(items=items, defaults_version=VERSION, notice_vi=NOTICE_VI)
    return Built(encode(body), sorted(set(resources)))


async def act(tx: Tx, reader: Reader, reminder_id: UUID, what: Act, now: datetime) -> Changed | Refused:
    """Pause, go on or stop. A pause counts times and tells none; a stop ends them until somebody goes on."""

    def change(one: Reminder, face: Face) -> Reminder | None:
        if one.state == "ended" or (face.line is not None and not face.line.is_standing):
            return None
        if what == "stop":
            return replace(one, state="stopped", next_at=None)
        if what == "pause":
            return replace(one, state="paused") if one.state in ("active", "paused") else None
        return _resumed(one, now) if face.line is None else _resumed_medicine(one, face.line, now)

    return await _changed(tx, reader, reminder_id, change, now)


async def set_times(
    tx: Tx, reader: Reader, reminder_id: UUID, times: list[time], days: int | None, now: datetime
) -> Changed | Refused:
    """The person's own wall times of each of its days. days: of a medicine: how long from now, where the text
    leaves it open or the person was told otherwise."""
    chosen = sorted(set(times))

    def change(one: Reminder, face: Face) -> Reminder | None:
        if face.line is not None:
            return _timed_medicine(one, face.line, chosen, days, now)
        if one.state not in ("active", "paused"):
            return None
        # All times of what the person asked for are the person's: asking anew sets them anew.
        mine = replace(one, own_times=face.came_from.what != "own", times=chosen)
        return replace(mine, next_at=next_after(mine, now))

    return await _changed(tx, reader, reminder_id, change, now)


def _timed_medicine(
    one: Reminder, line: PlanLine, times: list[time], days: int | None, now: datetime
) -> Reminder | None:
    if one.state not in ("active", "paused", "asks") or one.asks == "pharmacist" or one.phases:
        return None
    if not line.is_standing or not line.dispensed:
        return None
    length_of = line.dispensed if days is not None else None
    mine = replace(one, own_times=True, times=times, interval_hours=None, next_at=None)
    mine = replace(mine, own_length_of=length_of)
    doses = doses_with(mine, line) if days is None else one.doses_due + days_of_doses(mine, days) * len(times)
    if not doses:
        return replace(mine, state="asks", asks="end", doses=None)
    state: Literal["paused", "active"] = "paused" if one.state == "paused" else "active"
    return armed(replace(mine, state=state, asks=None, doses=doses), line, now)


def _resumed(one: Reminder, now: datetime) -> Reminder | None:
    """From now on; nothing where no time is left."""
    next_at = next_after(one, now)
    return None if next_at is None else replace(one, state="active", next_at=next_at)


def _resumed_medicine(one: Reminder, line: PlanLine, now: datetime) -> Reminder | None:
    """Back to what its text and quantity make of it, from now on; nothing of what was taken back."""
    if not line.dispensed:
        return None
    if one.state == "paused":
        return armed(replace(one, state="active"), line, now)
    if one.state != "stopped":
        return None
    plan = plan_for(line)
    state = "active" if one.own_times and one.doses is not None else plan.state
    asks = plan.asks if state == "asks" else None
    return armed(replace(one, state=state, asks=asks), replace(line, handed_at=None), now)


async def _changed(
    tx: Tx, reader: Reader, reminder_id: UUID, change: Change, now: datetime
) -> Changed | Refused:
    """One change under the plan's lock. Refused: no-such-reminder, also where its cause is not seen, and
    reminder-not-open."""
    locked = await lock_seen(tx, reader, reminder_id, now)
    if locked is None:
        return Refused(problem=NO_SUCH_REMINDER)
    before, face = locked
    after = change(before, face)
    if after is None:
        return Refused(problem=REMINDER_NOT_OPEN)
    if after != before:
        after = replace(after, version=before.version + 1, changed_at=now)
        await queries.save(tx, after)
    doubts = await doubts_of(tx, reader.access, [after], now)
    return Changed(shown(after, face, doubts), face)


async def lock_seen(tx: Tx, reader: Reader, reminder_id: UUID, now: datetime) -> tuple[Reminder, Face] | None:
    """A reminder of the book under its lock, its timer poked before; None where its cause is not seen."""
    for person in reader.people:
        if await queries.BY_ID.one(tx, person, reminder_id) is None:
            continue
        await poke(tx, person, reminder_id, now)
        before = await queries.LOCK.one(tx, person, reminder_id)
        face = None if before is None else (await reader.faces(tx, [before], now)).get(reminder_id)
        return None if before is None or face is None else (before, face)
    return None


def _asked(one: Reminder, line: PlanLine | None) -> str | None:
    """What the person is asked, after the reason."""
    if one.state == "as-needed":
        return AS_NEEDED_VI
    if one.asks is None:
        return None
    why = plan_for(line).why if line is not None else None
    if why == "too-little" and one.asks == "end":
        return f"{WHY_VI[why]} {END_UNSAID_VI}"
    return f"{WHY_VI[why]} {ASKS_VI[one.asks]}" if why is not None else ASKS_VI[one.asks]


def shown(one: Reminder, face: Face, doubts: Doubts) -> ReminderShown:
    told = told_of(one, face, doubts)
    is_range = "amount-range" in one.checks and one.state not in ("ended", "stopped")
    more = [AMOUNT_RANGE_VI] if is_range else []
    said = [text for text in (_asked(one, face.line), *more, *(text for _, text in told)) if text]
    return ReminderShown(
        reminder_id=one.reminder_id,
        kind=one.kind,
        prescription_id=one.prescription_id,
        medication_id=face.line.line_id if face.line else None,
        title=face.title,
        dosage=face.line.text if face.line else [],
        what=face.what,
        came_from=face.came_from,
        is_private=face.is_private,
        state=one.state,
        asks=one.asks,
        text_vi=" ".join(said) or None,
        times=[f"{at:%H:%M}" for at in one.times],
        own_times=one.own_times,
        interval_hours=one.interval_hours,
        every_days=one.every_days,
        weekdays=one.weekdays,
        on_days=one.on_days,
        phases=[phase_shown(phase) for phase in phases_of(one)],
        zone=one.zone,
        starts_on=one.starts_on,
        doses_left=None if one.doses is None else max(0, one.doses - one.doses_due),
        next_at=one.next_at,
        checks=[*one.checks, *(doubt for doubt, _ in told)],
        is_told=one.kind not in doubts.off,
        end_reason=one.end_reason,
        version=one.version,
    )
