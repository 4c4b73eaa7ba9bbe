"""What an activity of a care plan asks to be measured, and when. Pure; no time is made up: an activity whose
timing leaves the days open makes no reminder."""

from datetime import time
from decimal import Decimal
from typing import Final

from msgspec import Struct

from ehr.fhir import Concept
from reminders.own.models import Measure
from reminders.policy import DEFAULTS
from reminders.sources import Schedule

# LOINC, as a plan may name them.
_MEASURES: Final[dict[str, Measure]] = {
    "85354-9": "blood-pressure",
    "8480-6": "blood-pressure",
    "8462-4": "blood-pressure",
    "8867-4": "heart-rate",
    "2339-0": "blood-glucose",
    "15074-8": "blood-glucose",
    "41653-7": "blood-glucose",
    "29463-7": "weight",
    "8310-5": "temperature",
    "59408-5": "oxygen-saturation",
    "2708-6": "oxygen-saturation",
}
_LOINC: Final = "http://loinc.org"
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK: Final = 7
_OVER: Final = frozenset({"cancelled", "completed", "stopped", "on-hold", "entered-in-error"})
_SLOTS: Final[dict[str, str]] = DEFAULTS["slots"]
_A_DAY: Final[dict[str, list[str]]] = DEFAULTS["times_a_day"]


class Repeat(Struct, frozen=True, rename="camel"):
    """FHIR R4 Timing.repeat, as far as days and hours go."""

    frequency: int = 1
    period: Decimal | None = None
    period_unit: str | None = None
    day_of_week: list[str] = []
    time_of_day: list[str] = []


class Timing(Struct, frozen=True):
    repeat: Repeat | None = None


class Detail(Struct, frozen=True, rename="camel"):
    code: Concept | None = None
    status: str | None = None
    description: str | None = None
    scheduled_timing: Timing | None = None


class Activity(Struct, frozen=True):
    detail: Detail | None = None


class CarePlanAsked(Struct, frozen=True):
    activity: list[Activity] = []


def measure_of(detail: Detail) -> Measure | None:
    """What is to be measured; None where it is something else, or is over."""
    codes = detail.code.coding if detail.code is not None and detail.status not in _OVER else []
    known = (_MEASURES.get(one.code or "") for one in codes if one.system == _LOINC)
    return next((one for one in known if one is not None), None)


def schedule_of(repeat: Repeat) -> Schedule | None:
    """So many times every so many days, or on days of the week. None for anything else."""
    times = _times(repeat)
    if times is None:
        return None
    if repeat.day_of_week:
        known = [_DAYS.index(day) + 1 for day in repeat.day_of_week if day in _DAYS]
        whole = len(known) == len(repeat.day_of_week)
        return Schedule(times=times, weekdays=tuple(sorted(set(known)))) if whole else None
    every = _every_days(repeat)
    return None if every is None else Schedule(times=times, every_days=every)


def _every_days(repeat: Repeat) -> int | None:
    days = {"d": 1, "wk": _WEEK}.get(repeat.period_unit or "")
    if days is None or repeat.period is None or repeat.period != int(repeat.period):
        return None
    every = int(repeat.period) * days
    # Several times in several days: nobody said on which.
    return every if 1 <= every <= 366 and (every == 1 or repeat.frequency == 1) else None


def _times(repeat: Repeat) -> tuple[time, ...] | None:
    try:
        named = tuple(sorted({time.fromisoformat(text[:5]) for text in repeat.time_of_day}))
    except ValueError:
        return None
    if named:
        return named
    a_day = 1 if repeat.day_of_week or _every_days(repeat) != 1 else repeat.frequency
    slots = _A_DAY.get(str(a_day))
    return tuple(time.fromisoformat(_SLOTS[slot]) for slot in slots) if slots else None
