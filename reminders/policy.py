"""From a dose text to clock times, and from clock times to the next one. Pure; no time is made up.

The clock times of parts of the day are ours (defaults.json): no ministry table exists (vietnam.md §6). What
a text leaves open is asked, and a text that speaks of weeks, of other days or of changing doses is never read
as a daily one.
"""

import hashlib
import json
import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from ehr.dosage.grammar import daily_amount
from ehr.dosage.models import Dose, Meal
from kernel.ids import uuid8
from kernel.text import fold
from reminders.models import Check, Plan, Reminder

DEFAULTS: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("defaults.json").read_text("utf-8"))
VERSION: Final[str] = DEFAULTS["version"]
ZONE: Final[str] = DEFAULTS["zone"]
RINGS_WITHIN: Final = timedelta(minutes=DEFAULTS["rings_within_minutes"])
DAY_HOURS: Final = 24
# A course is at most 90 days (TT 26/2025); nothing of ours plans further than a year.
DOSES_MAX: Final = 366 * DAY_HOURS

_SLOTS: Final = {slot: time.fromisoformat(text) for slot, text in DEFAULTS["slots"].items()}
_A_DAY: Final[dict[str, list[str]]] = DEFAULTS["times_a_day"]
_NOT_DAILY: Final = re.compile("|".join(DEFAULTS["not_daily"]))
_ANY_DAY: Final = date(2000, 1, 1)


def reminder_id_of(patient_id: UUID, prescription_id: UUID, line: int) -> UUID:
    """The same for each dispensing of a line: parts handed out by two pharmacies are one plan."""
    return uuid8(hashlib.sha256(patient_id.bytes + prescription_id.bytes + str(line).encode()).digest())


def plan_of(dose: Dose, text: str, *, ordered: Decimal | None, dispensed: Decimal, unit: str | None) -> Plan:
    """The plan of one line. ordered, dispensed: in `unit`, as the prescription counts."""
    checks = _checks(dose, ordered, unit)
    if _NOT_DAILY.search(fold(text)):
        return Plan(state="asks", asks="pharmacist", checks=checks)
    if dose.as_needed or dose.form == "prn":
        return Plan(state="as-needed", checks=checks)
    times, interval = times_of(dose)
    if not times and interval is None:
        return Plan(state="asks", asks="times", checks=checks)
    doses = doses_of(dose, len(times), interval, dispensed if is_counted(dose, unit) else None)
    if doses is None:
        return Plan(state="asks", asks="end", times=times, interval_hours=interval, checks=checks)
    return Plan(state="active", times=times, interval_hours=interval, doses=doses, checks=checks)


def times_of(dose: Dose) -> tuple[tuple[time, ...], int | None]:
    """Wall times of each day, or the hours between two doses where they do not divide a day."""
    if dose.slots:
        if dose.times is not None and dose.times != len(dose.slots):
            return (), None
        return _clock([slot.slot for slot in dose.slots], dose.meal), None
    if dose.interval_hours:
        return _spaced(dose.interval_hours, dose.times)
    return _clock(_A_DAY.get(str(dose.times), []), dose.meal), None


def _spaced(hours: int, times: int | None) -> tuple[tuple[time, ...], int | None]:
    if times is None and DAY_HOURS % hours:
        return (), hours
    count = times or DAY_HOURS // hours
    if count * hours > DAY_HOURS:
        return (), None
    first = time.fromisoformat(DEFAULTS["interval_from"])
    return tuple(sorted(_shifted(first, 60 * hours * step) for step in range(count))), None


def _clock(slots: list[Any], meal: Meal | None) -> tuple[time, ...]:
    """A meal moves what is taken by it; before sleep is no meal."""
    minutes = DEFAULTS["meal_minutes"][meal] if meal else 0
    return tuple(
        sorted(_SLOTS[slot] if slot == "night" else _shifted(_SLOTS[slot], minutes) for slot in slots)
    )


def _shifted(at: time, minutes: int) -> time:
    return (datetime.combine(_ANY_DAY, at) + timedelta(minutes=minutes)).time()


def is_counted(dose: Dose, unit: str | None) -> bool:
    """Whether the prescription counts what the dose counts, so that it can be told when it is used up."""
    return dose.unit is not None and unit is not None and fold(dose.unit) == fold(unit)


def doses_of(dose: Dose, a_day: int, interval: int | None, supply: Decimal | None) -> int | None:
    """How many doses: those of the days, and no more than what was handed out is enough for."""
    by_days = None
    if dose.days:
        by_days = dose.days * a_day if interval is None else dose.days * DAY_HOURS // interval
    by_supply = _enough_for(dose, supply) if supply is not None else None
    known = [count for count in (by_days, by_supply) if count is not None]
    return min([*known, DOSES_MAX]) if known else None


def _enough_for(dose: Dose, supply: Decimal) -> int | None:
    amounts = [slot.amount if slot.amount is not None else dose.per for slot in dose.slots] or [dose.per]
    if any(amount is None or amount <= 0 for amount in amounts):
        return None
    count = 0
    while count < DOSES_MAX and (amount := amounts[count % len(amounts)]) is not None and supply >= amount:
        supply, count = supply - amount, count + 1
    return count


def _checks(dose: Dose, ordered: Decimal | None, unit: str | None) -> tuple[Check, ...]:
    """What does not agree: the number in brackets, and the quantity against days and daily amount."""
    found: list[Check] = ["sum"] if dose.sum_agrees is False else []
    daily = daily_amount(dose)
    if ordered is not None and dose.days and daily is not None and is_counted(dose, unit):
        found += ["quantity"] if daily * dose.days != ordered else []
    return tuple(found)


def next_after(reminder: Reminder, after: datetime) -> datetime | None:
    """The next time of a reminder after an instant, as its wall clock says it; None where no dose is left."""
    if reminder.doses is not None and reminder.doses_due >= reminder.doses:
        return None
    start = datetime.combine(reminder.starts_on, time(), ZoneInfo(reminder.zone))
    after = max(after, start - timedelta(microseconds=1))
    if reminder.interval_hours is None:
        return _next_wall(reminder.times, reminder.zone, after) if reminder.times else None
    if reminder.last_at is None:
        return _next_wall([time.fromisoformat(DEFAULTS["interval_from"])], reminder.zone, after)
    step = timedelta(hours=reminder.interval_hours)
    return reminder.last_at + step * max(1, (after - reminder.last_at) // step + 1)


def _next_wall(times: list[time], zone: str, after: datetime) -> datetime | None:
    """The first of these wall times after an instant. A wall time that a change of the clock leaves out is
    as many minutes later."""
    here = after.astimezone(ZoneInfo(zone))
    for days in range(3):
        day = here.date() + timedelta(days=days)
        for at in sorted(times):
            moment = datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)
            if moment > after:
                return moment
    return None


def rings_at(patient_id: UUID, due_at: datetime) -> datetime:
    """When the timer of a time fires: a whole country's morning is spread over a minute, the same for one
    person."""
    return due_at + timedelta(seconds=int.from_bytes(patient_id.bytes[-4:]) % DEFAULTS["spread_seconds"])


def lapse_told_at(collect_by: date, now: datetime) -> datetime | None:
    """When to say that a prescription is about to lapse: in the morning, the day before its last one. None
    where no morning is left."""
    zone, at = ZoneInfo(ZONE), time.fromisoformat(DEFAULTS["lapse_told_at"])
    wanted = datetime.combine(collect_by - timedelta(days=DEFAULTS["lapse_told_days_before"]), at, zone)
    told_at = wanted.astimezone(UTC) if wanted > now else _next_wall([at], ZONE, now)
    last = datetime.combine(collect_by + timedelta(days=1), time(), zone)
    return told_at if told_at is not None and told_at < last else None
