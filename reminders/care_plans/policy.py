"""What an activity of a care plan asks to be measured, and when. Pure; no time is made up: an activity whose
timing leaves the days or the hours open makes no reminder. Timings are read as those of medicines are."""

from collections.abc import Mapping
from datetime import date, time, timedelta
from typing import Any, Final, TypeAlias

from msgspec import Struct

from ehr.dosage.instruction import DAYS_MAX
from ehr.dosage.models import Dose, Slot
from ehr.dosage.timing import dose_of
from ehr.fhir import Concept
from reminders.own.models import Measure
from reminders.policy import SLOTS, times_of
from reminders.sources import Schedule

Fhir: TypeAlias = Mapping[str, Any]

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
_OVER: Final = frozenset({"cancelled", "completed", "stopped", "on-hold", "entered-in-error"})


class Detail(Struct, frozen=True, rename="camel"):
    """scheduled_timing: FHIR R4 Timing as JSON."""

    code: Concept | None = None
    status: str | None = None
    description: str | None = None
    scheduled_timing: dict[str, Any] | None = None


class Activity(Struct, frozen=True):
    detail: Detail | None = None


class Period(Struct, frozen=True):
    start: str | None = None
    end: str | None = None


class CarePlanAsked(Struct, frozen=True):
    activity: list[Activity] = []
    period: Period | None = None


def measure_of(detail: Detail) -> Measure | None:
    """What is to be measured; None where it is something else, or is over."""
    codes = detail.code.coding if detail.code is not None and detail.status not in _OVER else []
    known = (_MEASURES.get(one.code or "") for one in codes if one.system == _LOINC)
    return next((one for one in known if one is not None), None)


def schedule_of(
    timing: Fhir, slots: Mapping[Slot, time] = SLOTS, begins: str | None = None
) -> Schedule | None:
    """So many times every so many days, or on days of the week, by the parts of the person's day. begins: of
    the plan, FHIR date, for a timing that says no day of its own. None for anything that is not known whole,
    such as a length without its first day."""
    dose = dose_of([{"timing": timing}])
    times, interval = times_of(dose, slots)
    if dose.is_irregular or dose.stages or not times or interval is not None:
        return None
    try:
        return _on_days(dose, times, timing.get("repeat", {}), begins)
    except (TypeError, ValueError, AttributeError):
        return None


def _on_days(dose: Dose, times: tuple[time, ...], repeat: Fhir, begins: str | None) -> Schedule | None:
    bounds = repeat.get("boundsPeriod", {})
    first = bounds.get("start") or begins
    start = date.fromisoformat(first[:10]) if first else None
    every = dose.every_days or 1
    if "boundsDuration" not in repeat and "end" not in bounds:
        starts_on = start if bounds.get("start") or every > 1 else None
        return Schedule(times=times, every_days=every, weekdays=dose.weekdays, starts_on=starts_on)
    if start is None or dose.days is None or dose.days > DAYS_MAX:
        return None
    days = (start + timedelta(days=ahead) for ahead in range(0, dose.days, every))
    named = tuple(day for day in days if not dose.weekdays or day.isoweekday() in dose.weekdays)
    return Schedule(times=times, on_days=named, starts_on=start) if named else None
