"""A dose as FHIR R4 Dosage: the text as written, and beside it what could be read of it.

Parts of the day become `when` codes of the value set event-timing; only a clock time that the text itself
names becomes one.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from msgspec import Raw

from ehr.dosage.grammar import read_dose
from ehr.dosage.models import Dose, SlotDose

DOSE_TOTAL: Final = "urn:vn:so-suc-khoe:dose-total"
_TIMING_EVENT: Final = "http://terminology.hl7.org/CodeSystem/v3-TimingEvent"
_UCUM: Final = "http://unitsofmeasure.org"
_WHEN: Final = {"morning": "MORN", "noon": "NOON", "afternoon": "AFT", "evening": "EVE", "night": "NIGHT"}
_MEALS: Final = {
    "before": ("AC", "Trước bữa ăn"),
    "after": ("PC", "Sau bữa ăn"),
    "with": ("C", "Trong bữa ăn"),
}
DAYS_MAX: Final = 366
_DAYS_OF_WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def dosage_instruction(text: str, advice: str, ordered: str, route: dict[str, Any]) -> list[dict[str, Any]]:
    """`dosageInstruction` of one line: one Dosage, or one for each part of the day that takes another
    amount. ordered: FHIR date of the order; the course ends `days` after it."""
    if not text and not advice and not route:
        return []
    dose = read_dose(text, advice)
    groups = _groups(dose)
    return [_dosage(dose, group, text, advice, ordered, route) for group in groups]


def _groups(dose: Dose) -> list[tuple[SlotDose, ...]]:
    amounts = {slot.amount for slot in dose.slots}
    return [dose.slots] if len(amounts) < 2 or dose.is_irregular else [(slot,) for slot in dose.slots]


def _dosage(
    dose: Dose, slots: tuple[SlotDose, ...], text: str, advice: str, ordered: str, route: dict[str, Any]
) -> dict[str, Any]:
    amount = slots[0].amount if slots and slots[0].amount is not None else dose.per
    made: dict[str, Any] = {"extension": _total(dose), "text": text}
    if dose.is_irregular:
        # Of a text that was not understood as a whole, no part is told as if it had been.
        made |= {"patientInstruction": advice, "route": route}
        return {key: value for key, value in made.items() if value}
    if dose.meal and slots:
        code, name = _MEALS[dose.meal]
        coding = {"system": _TIMING_EVENT, "code": code}
        made["additionalInstruction"] = [{"coding": [coding], "text": name}]
    made["patientInstruction"] = advice
    if repeat := _repeat(dose, slots, ordered):
        made["timing"] = {"repeat": repeat}
    if dose.as_needed_for:
        made["asNeededCodeableConcept"] = {"text": f"khi {dose.as_needed_for}"}
    elif dose.as_needed:
        made["asNeededBoolean"] = True
    made["route"] = route
    if amount is not None and dose.form != "yhct":
        made["doseAndRate"] = [{"doseQuantity": _amount(amount, dose.unit)}]
    return {key: value for key, value in made.items() if value}


def _repeat(dose: Dose, slots: tuple[SlotDose, ...], ordered: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if dose.days and dose.days <= DAYS_MAX and ordered:
        start = date.fromisoformat(ordered[:10])
        end = start + timedelta(days=dose.days - 1)
        made["boundsPeriod"] = {"start": start.isoformat(), "end": end.isoformat()}
    elif dose.days:
        made["boundsDuration"] = {"value": dose.days, "unit": "ngày", "system": _UCUM, "code": "d"}
    # How often of a range, and a dose that changes, is told by the text alone.
    is_open = dose.is_range or bool(dose.stages)
    if is_open or (dose.as_needed and dose.times is None):
        return made
    split = len(slots) < len(dose.slots)
    times = len(slots) if split else dose.times or len(slots) or len(dose.clock)
    if times:
        made |= {"frequency": times, "period": dose.every_days or 1, "periodUnit": "d"}
    if dose.interval_hours and not slots:
        made |= {"frequency": 1, "period": dose.interval_hours, "periodUnit": "h"}
    if dose.weekdays:
        made["dayOfWeek"] = [_DAYS_OF_WEEK[day - 1] for day in dose.weekdays]
    if dose.clock:
        made["timeOfDay"] = [f"{at:%H:%M:%S}" for at in dose.clock]
    elif slots:
        made["when"] = [_WHEN[slot.slot] for slot in slots]
    elif dose.meal:
        made["when"] = [_MEALS[dose.meal][0]]
    return made


def _total(dose: Dose) -> list[dict[str, Any]]:
    """The number in brackets, and whether the rest of the text comes to it."""
    total = dose.day_total if dose.day_total is not None else dose.course_total
    if total is None:
        return []
    per = "per-day" if dose.day_total is not None else "per-course"
    parts: list[dict[str, Any]] = [{"url": per, "valueQuantity": _amount(total, dose.unit)}]
    if dose.sum_agrees is not None:
        parts.append({"url": "agrees", "valueBoolean": dose.sum_agrees})
    return [{"url": DOSE_TOTAL, "extension": parts}]


def _amount(value: Decimal, unit: str | None) -> dict[str, Any]:
    made: dict[str, Any] = {"value": Raw(format(value, "f").encode())}
    return made | {"unit": unit} if unit else made
