"""A dose as FHIR R4 Dosage says it, read into the same Dose as a text (dosage.html, datatypes.html#Timing).

A text and a structure that say two things make the dose irregular, and so does what of either cannot be
followed (words that were not understood, an event, a count, a range, a modifier, months): it is never read as
a daily one. Meal codes: CM breakfast, CD lunch, CV dinner.
"""

from collections.abc import Mapping, Sequence
from datetime import date, time
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeAlias

from msgspec.structs import replace

from ehr.dosage.grammar import read_dose
from ehr.dosage.models import Dose, Meal, Slot, SlotDose, Stage

Fhir: TypeAlias = Mapping[str, Any]

_SLOTS: Final[Mapping[str, Slot]] = {
    **dict.fromkeys(("MORN", "MORN.early", "MORN.late", "WAKE", "CM", "ACM", "PCM"), "morning"),
    **dict.fromkeys(("NOON", "CD", "ACD", "PCD"), "noon"),
    **dict.fromkeys(("AFT", "AFT.early", "AFT.late"), "afternoon"),
    **dict.fromkeys(("EVE", "EVE.early", "EVE.late", "CV", "ACV", "PCV"), "evening"),
    **dict.fromkeys(("NIGHT", "HS"), "night"),
}
_MEALS: Final[Mapping[str, Meal]] = {
    **dict.fromkeys(("AC", "ACM", "ACD", "ACV"), "before"),
    **dict.fromkeys(("PC", "PCM", "PCD", "PCV"), "after"),
    **dict.fromkeys(("C", "CM", "CD", "CV"), "with"),
}
# GTSAbbreviation, the value set of Timing.code.
_CODES: Final[Mapping[str, Dose]] = {
    "QD": Dose(form="prose", times=1),
    "BID": Dose(form="prose", times=2),
    "TID": Dose(form="prose", times=3),
    "QID": Dose(form="prose", times=4),
    "QOD": Dose(form="prose", times=1, every_days=2),
    "WK": Dose(form="prose", times=1, every_days=7),
    "Q4H": Dose(form="prose", interval_hours=4),
    "Q6H": Dose(form="prose", interval_hours=6),
    "Q8H": Dose(form="prose", interval_hours=8),
    "AM": Dose(form="prose", slots=(SlotDose("morning"),)),
    "PM": Dose(form="prose", slots=(SlotDose("evening"),)),
    "BED": Dose(form="prose", slots=(SlotDose("night"),)),
}
_WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAYS_OF: Final = {"d": 1, "wk": 7}
_KNOWN: Final = frozenset(
    {
        "id", "extension", "boundsDuration", "boundsPeriod", "frequency", "period", "periodUnit", "dayOfWeek",
        "timeOfDay", "when", "offset", "duration", "durationUnit",
    }
)  # fmt: skip
# What our reminders leave between a meal and what is taken by it.
_OFFSET_MINUTES: Final = 30
_PERIOD_MAX: Final = 366
_DAYS_MAX: Final = 3660
_UNCLEAR: Final = Dose(form="unclear", is_irregular=True)


def dose_of(dosages: Sequence[Fhir]) -> Dose:
    """The dose of one order. dosages: its `dosageInstruction` as JSON, decimals as Decimal. Never raises."""
    try:
        return _dose_of(dosages)
    except (KeyError, TypeError, ValueError, InvalidOperation, AttributeError):
        return _UNCLEAR


def _dose_of(dosages: Sequence[Fhir]) -> Dose:
    texts = list(dict.fromkeys(_texts(one) for one in dosages))
    if len(texts) > 1:
        # Each says its part of the dose.
        return _beside([_agreed(_one(one), read_dose(*_texts(one))) for one in dosages], dosages)
    said = read_dose(*texts[0]) if texts else Dose(form="unclear")
    read = [_one(dosage) for dosage in dosages]
    return _agreed(_beside(read, dosages), said) if read else said


def _texts(dosage: Fhir) -> tuple[str, str]:
    return dosage.get("text", ""), dosage.get("patientInstruction", "")


def _beside(read: list[Dose], dosages: Sequence[Fhir]) -> Dose:
    """What several dosages of one order say together."""
    if len(read) == 1:
        return read[0]
    if len({dosage.get("sequence") for dosage in dosages}) == len(read):
        in_turn = sorted(zip(dosages, read, strict=True), key=lambda pair: pair[0].get("sequence", 0))
        return _stages([dose for _, dose in in_turn])
    return _together(read)


def says_times(dose: Dose) -> bool:
    """Whether a dose says how often, in whichever way."""
    return bool(dose.times or dose.slots or dose.clock or dose.interval_hours or dose.stages or dose.is_range)


def _agreed(dose: Dose, said: Dose) -> Dose:
    """A structure and its text. Neither overrules the other: what they say in two ways is irregular; the text
    comes first where it says how often, and either completes the other."""
    is_timed = says_times(dose) or dose.every_days is not None or bool(dose.weekdays)
    is_unlike = said.is_irregular or dose.is_irregular or _is_unlike(dose, said, is_timed=is_timed)
    if not says_times(said) and not said.as_needed:
        return replace(_with_text(dose, said), is_irregular=is_unlike)
    days = said.days or dose.days
    per = said.per if said.per is not None or _amounts(said) else dose.per
    return replace(said, days=days, per=per, unit=said.unit or dose.unit, is_irregular=is_unlike)


def _is_unlike(dose: Dose, said: Dose, *, is_timed: bool) -> bool:
    """Whether a structure and a text say how much, how often, on which days or how long in two ways."""
    is_rhythmic = said.every_days is not None or bool(said.weekdays)
    if dose.as_needed != said.as_needed and (dose.as_needed or is_timed):
        return says_times(said) or said.as_needed or is_rhythmic
    pairs: list[tuple[Any, Any]] = [
        (_amounts(dose), _amounts(said)),
        (dose.days, said.days),
        (dose.meal, said.meal),
        (dose.unit, said.unit),
    ]
    if is_timed and (says_times(said) or is_rhythmic) and not (dose.as_needed and not says_times(dose)):
        if (dose.every_days or 1, dose.weekdays) != (said.every_days or 1, said.weekdays):
            return True
        pairs += [
            (_often_a_day(dose), _often_a_day(said)),
            ({slot.slot for slot in dose.slots}, {slot.slot for slot in said.slots}),
            (dose.clock, said.clock),
            (dose.interval_hours, said.interval_hours),
            (dose.stages, said.stages),
        ]
    return any(one and other and one != other for one, other in pairs)


def _often_a_day(dose: Dose) -> int | None:
    """None where it goes by hours."""
    if dose.interval_hours:
        return None
    return dose.times or len(dose.slots) or len(dose.clock) or None


def _amounts(dose: Dose) -> set[Decimal]:
    amounts = {slot.amount for slot in dose.slots if slot.amount is not None}
    return amounts or ({dose.per} if dose.per is not None else set())


def _with_text(dose: Dose, said: Dose) -> Dose:
    """What only the text said: an amount, a length, its days."""
    per = dose.per if dose.per is not None or any(slot.amount for slot in dose.slots) else said.per
    return replace(
        dose,
        per=per,
        unit=dose.unit or said.unit,
        days=dose.days or said.days,
        meal=dose.meal or said.meal,
        every_days=dose.every_days or said.every_days,
        weekdays=dose.weekdays or said.weekdays,
    )


def _together(read: list[Dose]) -> Dose:
    """Parts of one day that take another amount each; anything else that stands side by side is not read."""
    first, slots = read[0], tuple(slot for dose in read for slot in dose.slots)
    same = {(one.days, one.every_days, one.weekdays, one.unit, one.as_needed, one.meal) for one in read}
    is_split = all(
        len(dose.slots) == 1 and dose.times in (None, 1) and not dose.is_irregular for dose in read
    )
    if len(same) > 1 or not is_split or len({slot.slot for slot in slots}) != len(slots):
        return _UNCLEAR
    amounts = tuple(
        SlotDose(slot.slot, dose.per) for dose, slot in zip(read, (one.slots[0] for one in read), strict=True)
    )
    return replace(first, per=None, times=None, slots=amounts)


def _stages(read: list[Dose]) -> Dose:
    return Dose(
        form="prose",
        unit=read[0].unit,
        days=sum(one.days or 0 for one in read) if all(one.days for one in read) else None,
        as_needed=any(one.as_needed for one in read),
        stages=tuple(Stage(one.days, one) for one in read),
        is_irregular=any(one.is_irregular or one.weekdays for one in read),
    )


def _one(dosage: Fhir) -> Dose:
    timing = dosage.get("timing", {})
    repeat = timing.get("repeat", {})
    coded, is_known = _coded(timing)
    rhythm = _rhythm(repeat)
    is_told = says_times(rhythm) or bool(rhythm.weekdays) or rhythm.is_irregular
    dose = rhythm if is_told else coded or Dose(form="prose")
    is_twofold = is_told and coded is not None and _is_unlike(rhythm, coded, is_timed=True)
    amounts = [one["doseQuantity"] for one in dosage.get("doseAndRate", []) if "doseQuantity" in one]
    quantity: Fhir = amounts[0] if amounts else {}
    is_needed = bool(dosage.get("asNeededBoolean")) or "asNeededCodeableConcept" in dosage
    per = _amount(quantity.get("value"))
    is_unread = not is_known or is_twofold or len(amounts) > 1 or (per is not None and per <= 0)
    return replace(
        dose,
        per=per,
        unit=str(quantity["unit"]).lower() if quantity.get("unit") else None,
        days=_days(repeat),
        as_needed=is_needed,
        is_irregular=_is_irregular(dosage, timing, repeat) or dose.is_irregular or is_unread,
    )


def _coded(timing: Fhir) -> tuple[Dose | None, bool]:
    """What Timing.code says, and whether all of it is known."""
    code = timing.get("code", {})
    said = [coding.get("code") for coding in code.get("coding", [])] or [code.get("text")]
    known = [_CODES[one] for one in said if one in _CODES]
    return (known[0] if known else None), not code or (len(known) == len(said) and len(set(said)) == 1)


def _is_irregular(dosage: Fhir, timing: Fhir, repeat: Fhir) -> bool:
    """What may not be passed over: an event, a modifier, a field of `repeat` that is not followed here."""
    offset = repeat.get("offset")
    has_end = "boundsDuration" in repeat or "end" in repeat.get("boundsPeriod", {})
    return (
        "modifierExtension" in dosage
        or "maxDosePerPeriod" in dosage
        or any("doseRange" in one for one in dosage.get("doseAndRate", []))
        or (has_end and _days(repeat) is None)
        or "modifierExtension" in timing
        or "event" in timing
        or bool(repeat.keys() - _KNOWN)
        or (offset is not None and offset != _OFFSET_MINUTES)
    )


def _rhythm(repeat: Fhir) -> Dose:
    """How often and when, of `Timing.repeat`."""
    when = repeat.get("when", [])
    slots = tuple(SlotDose(_SLOTS[code]) for code in when if code in _SLOTS)
    meals = {_MEALS[code] for code in when if code in _MEALS}
    dose = Dose(
        form="prose",
        slots=slots,
        meal=meals.pop() if len(meals) == 1 else None,
        weekdays=tuple(sorted(_WEEK.index(day) + 1 for day in repeat.get("dayOfWeek", []))),
        clock=tuple(sorted({time.fromisoformat(text[:8]) for text in repeat.get("timeOfDay", [])})),
        is_irregular=any(code not in _SLOTS and code not in _MEALS for code in when),
    )
    return _often(dose, repeat)


def _often(dose: Dose, repeat: Fhir) -> Dose:
    frequency, unit = repeat.get("frequency", 1), repeat.get("periodUnit")
    period = Decimal(str(repeat["period"])) if "period" in repeat else None
    if period is None or unit is None:
        # FHIR: `when` or `timeOfDay` alone is every day; a number or a unit alone is nothing.
        is_alone = frequency == 1 and period is None and unit is None
        return replace(dose, is_irregular=dose.is_irregular or not is_alone)
    is_whole = period == period.to_integral_value() and isinstance(frequency, int)
    if not is_whole or not 1 <= period <= _PERIOD_MAX or frequency < 1 or unit not in ("h", *_DAYS_OF):
        return replace(dose, is_irregular=True)
    if unit == "h":
        is_plain = frequency == 1 and not dose.slots and not dose.clock and not dose.weekdays
        return replace(dose, interval_hours=int(period), is_irregular=dose.is_irregular or not is_plain)
    if unit == "wk" and dose.weekdays:
        is_plain = period == 1 and frequency == len(dose.weekdays)
        times = None if says_times(dose) else 1
        return replace(dose, times=times, is_irregular=dose.is_irregular or not is_plain)
    days = int(period) * _DAYS_OF[unit]
    if days == 1:
        return replace(dose, times=frequency)
    # Twice in three days names no days.
    is_plain = frequency == 1 and not dose.weekdays
    return replace(dose, times=1, every_days=days, is_irregular=dose.is_irregular or not is_plain)


def _days(repeat: Fhir) -> int | None:
    """The length of the course in days; None where it is open, a range, or in months."""
    if "boundsDuration" in repeat:
        length = repeat["boundsDuration"]
        value = Decimal(str(length["value"])) * _DAYS_OF.get(length.get("code") or length.get("unit"), 0)
        return int(value) if 0 < value <= _DAYS_MAX and value == value.to_integral_value() else None
    period = repeat.get("boundsPeriod", {})
    if "start" not in period or "end" not in period:
        return None
    length_days = (date.fromisoformat(period["end"][:10]) - date.fromisoformat(period["start"][:10])).days + 1
    return length_days if length_days > 0 else None


def _amount(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))
