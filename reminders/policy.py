"""From a dose text to clock times, and from clock times to the next one. Pure; no time is made up.

The clock times of parts of the day are ours (defaults.json) or the person's: no ministry table exists
(vietnam.md §6). What a text leaves open is asked, and a text that speaks of other days or doses than what was
read of it is never read as a daily one.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from ehr.dosage.grammar import daily_amount
from ehr.dosage.models import Dose, Meal, Slot
from kernel.ids import uuid8
from kernel.text import fold
from reminders.models import Check, Kind, Phase, Plan, Reminder, Why

DEFAULTS: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("defaults.json").read_text("utf-8"))
VERSION: Final[str] = DEFAULTS["version"]
ZONE: Final[str] = DEFAULTS["zone"]
RINGS_WITHIN: Final = timedelta(minutes=DEFAULTS["rings_within_minutes"])
DAY_HOURS: Final = 24
DAYS_A_WEEK: Final = 7
# A course is at most 90 days (TT 26/2025); nothing of ours plans further than a year.
DOSES_MAX: Final = 366 * DAY_HOURS

SLOTS: Final[Mapping[Slot, time]] = {
    slot: time.fromisoformat(text) for slot, text in DEFAULTS["slots"].items()
}
_A_DAY: Final[dict[str, list[Slot]]] = DEFAULTS["times_a_day"]
_ANY_DAY: Final = date(2000, 1, 1)
_read_phases: Final = msgspec.json.Decoder(tuple[Phase, ...]).decode


def reminder_id_of(patient_id: UUID, prescription_id: UUID, line: int) -> UUID:
    """The same for each dispensing of a line: parts handed out by two pharmacies are one plan."""
    return uuid8(hashlib.sha256(patient_id.bytes + prescription_id.bytes + str(line).encode()).digest())


def source_of(prescription_id: UUID, line: int) -> str:
    """What the plan of a prescription's line came from."""
    return f"{prescription_id}:{line}"


def sourced_id_of(patient_id: UUID, kind: Kind, source: str) -> UUID:
    """The id of the one reminder that came from a source."""
    return uuid8(hashlib.sha256(patient_id.bytes + f"{kind}\n{source}".encode()).digest())


def plan_of(
    dose: Dose,
    *,
    ordered: Decimal | None,
    dispensed: Decimal,
    unit: str | None,
    slots: Mapping[Slot, time] = SLOTS,
) -> Plan:
    """The plan of one line. ordered, dispensed: in `unit`, as the prescription counts. slots: wall times of
    the parts of the person's day. Whatever leaves a time, a day or the end open is asked, with the reason."""
    checks = _checks(dose, ordered, unit)
    if (dose.as_needed or dose.form == "prn") and not dose.is_irregular:
        return Plan(state="as-needed", checks=checks)
    if why := _unclear_days(dose, slots):
        return Plan(state="asks", asks="pharmacist", why=why, checks=checks)
    if dose.stages:
        return _changing_plan(dose, dispensed if is_counted(dose, unit) else None, slots, checks)
    times, interval = times_of(dose, slots)
    if not times and interval is None:
        return Plan(state="asks", asks="times", why=_unclear_times(dose), checks=checks)
    made = Plan(
        state="active",
        times=times,
        interval_hours=interval,
        every_days=dose.every_days or 1,
        weekdays=dose.weekdays,
        doses=doses_of(dose, len(times), interval, dispensed if is_counted(dose, unit) else None),
        checks=checks,
    )
    return _with_an_end(made)


def _with_an_end(made: Plan) -> Plan:
    """A plan, or the question where it ends: nowhere that is known, or before the first dose."""
    if made.doses:
        return made
    why: Why = "no-end" if made.doses is None else "too-little"
    return replace(made, state="asks", asks="end", why=why, doses=None)


def _unclear_days(dose: Dose, slots: Mapping[Slot, time]) -> Why | None:
    """Why it is not known on which days: words of other days that were not understood, or a stage of which
    the times or the length is missing."""
    if dose.is_irregular:
        return "unread"
    for number, stage in enumerate(dose.stages, start=1):
        is_last = number == len(dose.stages)
        has_times = bool(times_of(stage.dose, slots)[0])
        if not has_times or (stage.days is None and not is_last):
            return "changing-dose"
    return None


def _unclear_times(dose: Dose) -> Why:
    said = len(dose.slots) or len(dose.clock)
    if dose.is_range:
        return "range"
    if said and dose.times is not None and said != dose.times:
        return "times-differ"
    return "no-frequency" if dose.times is None else "too-often"


def _changing_plan(
    dose: Dose, supply: Decimal | None, slots: Mapping[Slot, time], checks: tuple[Check, ...]
) -> Plan:
    """Stages that follow each other, to the end of the last one, or until what was handed out is used up."""
    phases = tuple(
        Phase(
            days=stage.days,
            times=times_of(stage.dose, slots)[0],
            amounts=tuple(format(amount, "f") for amount in amounts_of(stage.dose)),
            every_days=stage.dose.every_days or 1,
        )
        for stage in dose.stages
    )
    by_days = [None if phase.days is None else phase_doses(phase, phase.days) for phase in phases]
    known = [sum(count for count in by_days if count is not None)] if None not in by_days else []
    if supply is not None and all(phase.amounts for phase in phases):
        known.append(_enough_of(phases, supply))
    doses = min([*known, DOSES_MAX]) if known else None
    times = tuple(sorted({at for phase in phases for at in phase.times}))
    return _with_an_end(Plan(state="active", times=times, phases=phases, doses=doses, checks=checks))


def _enough_of(phases: tuple[Phase, ...], supply: Decimal) -> int:
    count = begun = 0
    phase = phase_at(phases, count)
    while phase is not None and count < DOSES_MAX:
        amount = Decimal(phase.amounts[(count - begun) % len(phase.amounts)])
        if supply < amount:
            break
        supply, count = supply - amount, count + 1
        following = phase_at(phases, count)
        begun = begun if following is phase else count
        phase = following
    return count


def amounts_of(dose: Dose) -> tuple[Decimal, ...]:
    """How much at each time of a day, in order; empty where one of them is not said."""
    count = len(dose.slots) or len(dose.clock) or dose.times or 1
    amounts = [slot.amount if slot.amount is not None else dose.per for slot in dose.slots]
    amounts = amounts or [dose.per] * count
    known = [amount for amount in amounts if amount is not None and amount > 0]
    return tuple(known) if len(known) == len(amounts) else ()


def times_of(dose: Dose, slots: Mapping[Slot, time] = SLOTS) -> tuple[tuple[time, ...], int | None]:
    """Wall times of each day, or the hours between two doses where they do not divide a day."""
    said = dose.clock or dose.slots
    if dose.is_range or (said and dose.times is not None and dose.times != len(said)):
        return (), None
    if dose.clock:
        return ((), None) if dose.slots else (dose.clock, None)
    if dose.slots:
        return _clock([slot.slot for slot in dose.slots], dose.meal, slots), None
    if dose.interval_hours:
        return _spaced(dose.interval_hours, dose.times)
    return _clock(_A_DAY.get(str(dose.times), []), dose.meal, slots), None


def _spaced(hours: int, times: int | None) -> tuple[tuple[time, ...], int | None]:
    if times is None and DAY_HOURS % hours:
        return (), hours
    count = times or DAY_HOURS // hours
    if count * hours > DAY_HOURS:
        return (), None
    first = time.fromisoformat(DEFAULTS["interval_from"])
    return tuple(sorted(_shifted(first, 60 * hours * step) for step in range(count))), None


def _clock(parts: Sequence[Slot], meal: Meal | None, slots: Mapping[Slot, time]) -> tuple[time, ...]:
    """A meal moves what is taken by it; before sleep is no meal."""
    minutes = DEFAULTS["meal_minutes"][meal] if meal else 0
    return tuple(sorted(slots[part] if part == "night" else _shifted(slots[part], minutes) for part in parts))


def _shifted(at: time, minutes: int) -> time:
    return (datetime.combine(_ANY_DAY, at) + timedelta(minutes=minutes)).time()


def is_counted(dose: Dose, unit: str | None) -> bool:
    """Whether the prescription counts what the dose counts, so that it can be told when it is used up."""
    return dose.unit is not None and unit is not None and fold(dose.unit) == fold(unit)


def doses_of(dose: Dose, a_day: int, interval: int | None, supply: Decimal | None) -> int | None:
    """How many doses: those of the days, and no more than what was handed out is enough for."""
    by_days = None
    if dose.days:
        by_days = dose_days(dose) * a_day if interval is None else dose.days * DAY_HOURS // interval
    by_supply = _enough_for(dose, supply) if supply is not None else None
    known = [count for count in (by_days, by_supply) if count is not None]
    return min([*known, DOSES_MAX]) if known else None


def dose_days(dose: Dose) -> int:
    """On how many days of its course a dose is taken."""
    return _days_taken(dose.days or 0, dose.every_days or 1, len(dose.weekdays))


def days_of_doses(reminder: Reminder, days: int) -> int:
    """On how many of so many days a reminder rings."""
    return _days_taken(days, reminder.every_days, len(reminder.weekdays))


def _days_taken(days: int, every: int, named: int) -> int:
    """Of named days of the week no fewer than it can be."""
    return -(-days * named // DAYS_A_WEEK) if named else -(-days // every)


def _enough_for(dose: Dose, supply: Decimal) -> int | None:
    amounts = amounts_of(dose)
    if not amounts:
        return None
    count = 0
    while count < DOSES_MAX and supply >= (amount := amounts[count % len(amounts)]):
        supply, count = supply - amount, count + 1
    return count


def _checks(dose: Dose, ordered: Decimal | None, unit: str | None) -> tuple[Check, ...]:
    """What does not agree: the number in brackets, and the quantity against days and daily amount; and that
    how much is a range, of which no amount is told."""
    found: list[Check] = ["sum"] if dose.sum_agrees is False else []
    found += ["amount-range"] if dose.is_amount_range and not dose.is_irregular else []
    daily = daily_amount(dose)
    if ordered is not None and dose.days and daily is not None and is_counted(dose, unit):
        found += ["quantity"] if daily * dose_days(dose) != ordered else []
    return tuple(found)


def next_after(reminder: Reminder, after: datetime) -> datetime | None:
    """The next time of a reminder after an instant, as its wall clock says it; None where none is left.

    Which days: those of on_days where any are named; else those of weekdays, and every_days apart from the
    day that rang last (from any day on while none has). phases go by the doses that came so far. Whoever
    looks further ahead than one time steps with `passed`.
    """
    if reminder.doses is not None and reminder.doses_due >= reminder.doses:
        return None
    start = datetime.combine(reminder.starts_on, time(), ZoneInfo(reminder.zone))
    after = max(after, start - timedelta(microseconds=1))
    if reminder.interval_hours is not None:
        return _next_interval(reminder, reminder.interval_hours, after)
    if not reminder.phases:
        return _next_day_time(reminder, list(reminder.times), reminder.every_days, after)
    phase = phase_at(phases_of(reminder), reminder.doses_due)
    return None if phase is None else _next_day_time(reminder, list(phase.times), phase.every_days, after)


def rezoned(reminder: Reminder, zone: str, now: datetime) -> Reminder:
    """A reminder whose person went to another zone: a wall time of a day that rang already does not ring
    again there, and one that came there a moment ago, while it was still another hour here, rings now. What
    is due by now rings as it was; hours between doses stay hours."""
    moved = replace(reminder, zone=zone)
    if reminder.next_at is None or reminder.next_at <= now or reminder.interval_hours is not None:
        return moved
    after = min(now, max(now - RINGS_WITHIN, reminder.changed_at))
    if reminder.last_at is not None:
        rang = reminder.last_at.astimezone(ZoneInfo(reminder.zone))
        after = max(after, instant_of(rang.date(), rang.time(), ZoneInfo(zone)))
    return replace(moved, next_at=next_after(moved, after))


def retimed(before: Reminder, reminder: Reminder, now: datetime) -> Reminder:
    """A reminder whose times of a day were moved: none that came today comes again later."""
    if before.next_at is None or before.next_at <= now:
        return reminder
    after, zone = now, ZoneInfo(reminder.zone)
    old, new = _times_now(before), _times_now(reminder)
    if before.last_at is not None and len(old) == len(new):
        rang = before.last_at.astimezone(zone)
        if rang.date() == now.astimezone(zone).date() and rang.time() in old:
            after = max(after, instant_of(rang.date(), new[old.index(rang.time())], zone))
    return replace(reminder, next_at=next_after(reminder, after))


def _times_now(reminder: Reminder) -> list[time]:
    """The wall times of a day, of the stage in which it rang last."""
    if not reminder.phases:
        return list(reminder.times)
    phase = phase_at(phases_of(reminder), max(0, reminder.doses_due - 1))
    return list(phase.times) if phase is not None else []


def passed(reminder: Reminder, due_at: datetime) -> Reminder:
    """A reminder after one of its times: counted, and set to its next one."""
    one = replace(reminder, doses_due=reminder.doses_due + 1, last_at=due_at)
    return replace(one, next_at=next_after(one, due_at))


def times_between(reminder: Reminder, until: datetime, most: int) -> list[datetime]:
    """Its times from next_at to `until`, at most so many: what a phone sets its alarms by."""
    found: list[datetime] = []
    while (due_at := reminder.next_at) is not None and due_at <= until and len(found) < most:
        found.append(due_at)
        reminder = passed(reminder, due_at)
    return found


def phases_of(reminder: Reminder) -> tuple[Phase, ...]:
    return _read_phases(reminder.phases) if reminder.phases else ()


def written(phases: tuple[Phase, ...]) -> str | None:
    """Stages as a reminder's row holds them."""
    return msgspec.json.encode(phases).decode() if phases else None


def phase_at(phases: tuple[Phase, ...], doses_due: int) -> Phase | None:
    """The stage in which a dose falls after so many; None after the last one."""
    for phase in phases:
        if phase.days is None or doses_due < (count := phase_doses(phase, phase.days)):
            return phase
        doses_due -= count
    return None


def phase_doses(phase: Phase, days: int) -> int:
    """How many doses so many days of a stage come to."""
    return -(-days // phase.every_days) * len(phase.times)


def _next_interval(reminder: Reminder, hours: int, after: datetime) -> datetime | None:
    if reminder.last_at is None:
        return _next_day_time(reminder, [time.fromisoformat(DEFAULTS["interval_from"])], 1, after)
    step = timedelta(hours=hours)
    return reminder.last_at + step * max(1, (after - reminder.last_at) // step + 1)


def _next_day_time(reminder: Reminder, times: list[time], every: int, after: datetime) -> datetime | None:
    """The first of these wall times after an instant, on a day of the reminder."""
    zone = ZoneInfo(reminder.zone)
    last_day = reminder.last_at.astimezone(zone).date() if reminder.last_at else None
    for day in _days_from(reminder, after.astimezone(zone).date(), every):
        if reminder.weekdays and day.isoweekday() not in reminder.weekdays:
            continue
        if last_day is not None and not reminder.on_days and (day - last_day).days % every:
            continue
        later = [moment for at in times if (moment := instant_of(day, at, zone)) > after]
        if later:
            return min(later)
    return None


def _days_from(reminder: Reminder, today: date, every: int) -> Iterable[date]:
    """Days that may be one of the reminder's: the named ones, or enough to meet the next."""
    if reminder.on_days:
        return sorted(day for day in reminder.on_days if day >= today)
    reach = every * (DAYS_A_WEEK if reminder.weekdays else 1) + 2
    return (today + timedelta(days=ahead) for ahead in range(reach))


def instant_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """A wall time as an instant. One that a change of the clock leaves out is as many minutes later; of one
    that comes twice it is the first."""
    return datetime.combine(day, at, zone).astimezone(UTC)


def rings_at(patient_id: UUID, due_at: datetime) -> datetime:
    """When the timer of a time fires: a whole country's morning is spread over a minute, the same for one
    person."""
    return due_at + timedelta(seconds=int.from_bytes(patient_id.bytes[-4:]) % DEFAULTS["spread_seconds"])


def lapse_told_at(collect_by: date, now: datetime) -> datetime | None:
    """When to say that a prescription is about to lapse: in the morning, the day before its last one. None
    where no morning is left."""
    zone, at = ZoneInfo(ZONE), time.fromisoformat(DEFAULTS["lapse_told_at"])
    wanted = datetime.combine(collect_by - timedelta(days=DEFAULTS["lapse_told_days_before"]), at, zone)
    told_at = wanted.astimezone(UTC) if wanted > now else _next_wall(at, zone, now)
    last = datetime.combine(collect_by + timedelta(days=1), time(), zone)
    return told_at if told_at is not None and told_at < last else None


def _next_wall(at: time, zone: ZoneInfo, after: datetime) -> datetime:
    """A wall time today, or tomorrow where it is over."""
    today = after.astimezone(zone).date()
    moment = instant_of(today, at, zone)
    return moment if moment > after else instant_of(today + timedelta(days=1), at, zone)
