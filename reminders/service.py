"""The reminders of a book as somebody sees them, and what the person changes of them.

A plan whose line an access does not see does not exist for it; what the medicine is comes from the record.
"""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Final, Literal
from uuid import UUID

from msgspec.structs import replace

from ehr.prescriptions.models import PlanLine
from ehr.prescriptions.reading import lines_for_plan
from ehr.reads.models import Built
from ehr.reads.raw import encode
from kernel.access import Access
from kernel.problems import Refused
from reminders import queries
from reminders.models import Reminder, Reminders, ReminderShown
from reminders.plans import armed, doses_with, plan_for, poke
from reminders.policy import VERSION
from reminders.problems import NO_SUCH_REMINDER, REMINDER_NOT_OPEN
from reminders.texts import AS_NEEDED_VI, ASKS_VI, NOTICE_VI
from store.database import Tx

SHOWN_MAX: Final = 200
ENDED_SHOWN: Final = timedelta(days=7)

Act = Literal["pause", "resume", "stop"]
Change = Callable[[Reminder, PlanLine], Reminder | None]


async def read(tx: Tx, access: Access, now: datetime) -> Built:
    """Every plan of the book that stands or ended lately, the next to ring first."""
    found: list[Reminder] = []
    for person in (access.patient_id, *sorted(access.origins)):
        found += await queries.SHOWN.all(tx, person, now - ENDED_SHOWN, SHOWN_MAX)
    lines: dict[tuple[UUID | None, int | None], PlanLine] = {
        (prescription_id, line.line): line
        for prescription_id in dict.fromkeys(one.prescription_id for one in found if one.prescription_id)
        for line in await lines_for_plan(tx, access, prescription_id, now)
    }
    seen = [(one, lines[key]) for one in found if (key := (one.prescription_id, one.line)) in lines]
    items = sorted(
        (_shown(*pair) for pair in seen), key=lambda item: (item.next_at is None, item.next_at or now)
    )
    body = Reminders(items=items, defaults_version=VERSION, notice_vi=NOTICE_VI)
    return Built(encode(body), [("MedicationRequest", item.medication_id) for item in items])


async def act(tx: Tx, access: Access, reminder_id: UUID, what: Act, now: datetime) -> ReminderShown | Refused:
    """Pause, go on or stop. A pause counts times and tells none; a stop ends them until somebody goes on."""

    def change(one: Reminder, line: PlanLine) -> Reminder | None:
        if one.state == "ended" or not line.is_standing:
            return None
        if what == "stop":
            return replace(one, state="stopped", next_at=None)
        if what == "pause":
            return replace(one, state="paused") if one.state in ("active", "paused") else None
        return _resumed(one, line, now)

    return await _changed(tx, access, reminder_id, change, now)


async def set_times(
    tx: Tx, access: Access, reminder_id: UUID, times: list[time], days: int | None, now: datetime
) -> ReminderShown | Refused:
    """The person's own wall times, every day. days: how long from now, where the text leaves it open or the
    person was told otherwise."""

    def change(one: Reminder, line: PlanLine) -> Reminder | None:
        if one.state not in ("active", "paused", "asks") or one.asks == "pharmacist":
            return None
        if not line.is_standing or not line.dispensed:
            return None
        chosen = sorted(set(times))
        length_of = line.dispensed if days is not None else None
        mine = replace(one, own_times=True, times=chosen, interval_hours=None, next_at=None)
        mine = replace(mine, own_length_of=length_of)
        doses = one.doses_due + days * len(chosen) if days is not None else doses_with(mine, line)
        if doses is None:
            return replace(mine, state="asks", asks="end", doses=None)
        state: Literal["paused", "active"] = "paused" if one.state == "paused" else "active"
        return armed(replace(mine, state=state, asks=None, doses=doses), line, now)

    return await _changed(tx, access, reminder_id, change, now)


def _resumed(one: Reminder, line: PlanLine, now: datetime) -> Reminder | None:
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
    return armed(replace(one, state=state, asks=asks), replace(line, dispensed_on=None), now)


async def _changed(
    tx: Tx, access: Access, reminder_id: UUID, change: Change, now: datetime
) -> ReminderShown | Refused:
    """One change under the plan's lock. Refused: no-such-reminder, also where its line is not seen, and
    reminder-not-open."""
    for person in (access.patient_id, *sorted(access.origins)):
        if await queries.BY_ID.one(tx, person, reminder_id) is None:
            continue
        await poke(tx, person, reminder_id, now)
        before = await queries.LOCK.one(tx, person, reminder_id)
        line = None if before is None else await _line(tx, access, before, now)
        if before is None or line is None:
            break
        after = change(before, line)
        if after is None:
            return Refused(problem=REMINDER_NOT_OPEN)
        if after != before:
            after = replace(after, version=before.version + 1, changed_at=now)
            await queries.save(tx, after)
        return _shown(after, line)
    return Refused(problem=NO_SUCH_REMINDER)


async def _line(tx: Tx, access: Access, one: Reminder, now: datetime) -> PlanLine | None:
    if one.prescription_id is None:
        return None
    lines = await lines_for_plan(tx, access, one.prescription_id, now)
    return next((line for line in lines if line.line == one.line), None)


def _shown(one: Reminder, line: PlanLine) -> ReminderShown:
    asked = ASKS_VI[one.asks] if one.asks is not None else None
    return ReminderShown(
        reminder_id=one.reminder_id,
        kind=one.kind,
        prescription_id=one.prescription_id,
        medication_id=line.line_id,
        title=line.title,
        dosage=line.text,
        state=one.state,
        asks=one.asks,
        text_vi=AS_NEEDED_VI if one.state == "as-needed" else asked,
        times=[f"{at:%H:%M}" for at in one.times],
        own_times=one.own_times,
        interval_hours=one.interval_hours,
        zone=one.zone,
        starts_on=one.starts_on,
        doses_left=None if one.doses is None else max(0, one.doses - one.doses_due),
        next_at=one.next_at,
        checks=one.checks,
        end_reason=one.end_reason,
        version=one.version,
    )
