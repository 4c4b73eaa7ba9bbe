"""Plans of a prescription's lines: made and extended by what is handed out, ended by what ends it.

Every change pokes the timer first and locks the plan's row after: a tick holds them in that order too.
"""

from collections.abc import Mapping
from datetime import datetime, time
from decimal import Decimal
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from ehr.dosage.models import Slot
from ehr.prescriptions.models import PlanLine
from ehr.prescriptions.reading import lines_for_plan
from kernel.access import Access
from kernel.clock import local_day
from kernel.ids import bucket_of
from reminders import queries
from reminders.models import EndReason, Plan, Reminder
from reminders.policy import (
    SLOTS,
    doses_of,
    is_counted,
    next_after,
    plan_of,
    reminder_id_of,
    retimed,
    rezoned,
    source_of,
    written,
)
from reminders.settings.models import Day
from reminders.settings.service import day_of
from store.database import Tx
from store.due_queue import schedule

JOB: Final = "reminder"


def mark_of(patient_id: UUID, reminder_id: UUID) -> str:
    return f"{patient_id}:{reminder_id}"


async def poke(tx: Tx, patient_id: UUID, reminder_id: UUID, now: datetime) -> None:
    """Have the timer look at the plan at once; it arms itself for the next time."""
    await schedule(tx, bucket_of(patient_id), now, JOB, mark_of(patient_id, reminder_id))


async def plan_prescription(
    tx: Tx, access: Access, patient_id: UUID, prescription_id: UUID, now: datetime
) -> list[Reminder]:
    """Bring the plans of a prescription in line with what was handed out of it; again changes nothing.

    patient_id: whose new plans are; one that a merged person has already stays there. Returns plans whose
    person is to be asked something that was not asked before.
    """
    asked, day = [], await day_of(tx, access.patient_id)
    for line in await lines_for_plan(tx, access, prescription_id, now):
        owner = await _owner(tx, access, patient_id, prescription_id, line.line)
        if owner is None and not line.dispensed:
            continue
        made = await _plan_line(tx, owner or patient_id, prescription_id, line, day, now)
        asked += [made] if made is not None else []
    return asked


async def _owner(tx: Tx, access: Access, patient_id: UUID, prescription_id: UUID, line: int) -> UUID | None:
    """Who of a book has a plan of this line."""
    for person in dict.fromkeys((patient_id, access.patient_id, *sorted(access.origins))):
        if await queries.OF_LINE.one(tx, person, prescription_id, line) is not None:
            return person
    return None


async def _plan_line(
    tx: Tx, owner: UUID, prescription_id: UUID, line: PlanLine, day: Day, now: datetime
) -> Reminder | None:
    """One line under its lock. Returns the plan where it newly asks."""
    fresh = _fresh(owner, prescription_id, line, day, now)
    await poke(tx, owner, fresh.reminder_id, now)
    await queries.insert(tx, fresh)
    before = await queries.LOCK.one(tx, owner, fresh.reminder_id)
    assert before is not None
    after = planned(before, line, day, now)
    if after == before and before.version:
        return None
    after = replace(after, version=before.version + 1, changed_at=now)
    await queries.save(tx, after)
    is_news = before.version == 0 or before.state != "asks"
    return after if after.state == "asks" and is_news else None


def _fresh(owner: UUID, prescription_id: UUID, line: PlanLine, day: Day, now: datetime) -> Reminder:
    return Reminder(
        patient_id=owner,
        reminder_id=reminder_id_of(owner, prescription_id, line.line),
        kind="medication",
        prescription_id=prescription_id,
        line=line.line,
        state="asks",
        asks="times",
        own_times=False,
        times=[],
        interval_hours=None,
        zone=day.zone,
        checks=[],
        starts_on=line.dispensed_on or local_day(now),
        doses=None,
        doses_due=0,
        next_at=None,
        last_at=None,
        end_reason=None,
        version=0,
        changed_at=now,
        source=source_of(prescription_id, line.line),
    )


def plan_for(line: PlanLine, slots: Mapping[Slot, time] = SLOTS) -> Plan:
    """What the line's text and quantity come to, by the parts of somebody's day."""
    return plan_of(line.dosage, ordered=line.ordered, dispensed=line.dispensed, unit=line.unit, slots=slots)


def planned(before: Reminder, line: PlanLine, day: Day, now: datetime) -> Reminder:
    """A plan after what was handed out, or after the person's day changed. The person's own times and length
    and the person's stop stay; a plan that was used up goes on when more is handed out, and an ended one when
    its prescription stands again. Pure."""
    if line.state != "standing":
        return ended(before, line.state)
    plan = plan_for(line, day.slots)
    one = _with_own(replace(before, checks=list(plan.checks)), line, plan)
    if (one.times, one.phases) != (before.times, before.phases):
        one = retimed(before, one, now)
    if one.state in ("stopped", "paused"):
        # Of what was taken back at the counter nothing rings, and what the person chose stays.
        return (
            armed(one, line, now) if one.state == "paused" and line.dispensed else replace(one, next_at=None)
        )
    if not line.dispensed or (plan.why == "too-little" and one.doses_due):
        return ended(one, "used-up")
    state = "active" if one.own_times and one.doses is not None else plan.state
    asks = None if state != "asks" else plan.asks
    return armed(replace(one, state=state, asks=asks, end_reason=None), line, now)


def _with_own(one: Reminder, line: PlanLine, plan: Plan) -> Reminder:
    """The plan's times and doses, where the person did not choose. A length that the person said ends with
    its last dose: what is handed out after that has one of its own."""
    if not one.own_times:
        return replace(
            one,
            times=list(plan.times),
            interval_hours=plan.interval_hours,
            every_days=plan.every_days,
            weekdays=list(plan.weekdays),
            phases=written(plan.phases),
            doses=plan.doses,
        )
    if one.own_length_of is not None:
        if one.state != "ended" or line.dispensed <= one.own_length_of:
            return one
        one = replace(one, own_length_of=None)
    return replace(one, doses=doses_with(one, line) or one.doses)


def armed(one: Reminder, line: PlanLine, now: datetime) -> Reminder:
    """With its next time, where one follows: never one of before it was handed out."""
    if one.state not in ("active", "paused"):
        return replace(one, next_at=None)
    if one.doses is not None and one.doses_due >= one.doses:
        return ended(one, "used-up")
    if one.next_at is not None:
        return one
    after = now if line.handed_at is None else min(line.handed_at, now)
    if one.last_at is not None:
        after = max(after, one.last_at)
    return replace(one, next_at=next_after(one, after))


def ended(one: Reminder, reason: EndReason) -> Reminder:
    return replace(one, state="ended", asks=None, next_at=None, end_reason=reason)


def doses_with(one: Reminder, line: PlanLine) -> int | None:
    """How many doses the handed-out quantity and the days come to at the plan's own times."""
    supply: Decimal | None = line.dispensed if is_counted(line.dosage, line.unit) else None
    return doses_of(line.dosage, len(one.times), None, supply)


async def replan(tx: Tx, access: Access, now: datetime) -> None:
    """The person's day changed: plans of medicines follow."""
    for person in (access.patient_id, *sorted(access.origins)):
        for prescription_id in await queries.STANDING_PRESCRIPTIONS.all(tx, person):
            await plan_prescription(tx, access, person, prescription_id, now)


async def rezone(tx: Tx, access: Access, zone: str, now: datetime) -> None:
    """The person went to another zone: wall times are of that zone from now on."""
    for person in (access.patient_id, *sorted(access.origins)):
        for reminder_id in await queries.STANDING_IDS.all(tx, person):
            await poke(tx, person, reminder_id, now)
            before = await queries.LOCK.one(tx, person, reminder_id)
            if before is None or before.state == "ended" or before.zone == zone:
                continue
            after = rezoned(before, zone, now)
            if before.next_at is not None and after.next_at is None:
                after = ended(after, "used-up")
            await queries.save(tx, replace(after, version=before.version + 1, changed_at=now))


async def end_prescription(
    tx: Tx, access: Access, patient_id: UUID, prescription_id: UUID, reason: EndReason, now: datetime
) -> list[Reminder]:
    """A prescription was replaced or withdrawn: its plans end now, whoever of the book has them. Returns, as
    they were, those of what is still taken."""
    taken = list[Reminder]()
    for person in dict.fromkeys((patient_id, access.patient_id, *sorted(access.origins))):
        for one in await queries.OF_PRESCRIPTION.all(tx, person, prescription_id):
            taken += [one] if _is_taken(one, reason) else []
            if one.state != "ended" or one.end_reason == "used-up":
                after = replace(ended(one, reason), version=one.version + 1, changed_at=now)
                await queries.save(tx, after)
    return taken


def _is_taken(one: Reminder, reason: EndReason) -> bool:
    """Whether its person takes of it still; also where a hand-out that the end overtook has ended it."""
    if one.state == "ended":
        return one.end_reason == reason and (one.doses is None or one.doses_due < one.doses)
    return one.state != "stopped"
