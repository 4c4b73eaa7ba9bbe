"""Observations: the value as text, the range that was valid at this result, and the flag."""

from decimal import Decimal

from ehr.fhir import Component, Observation, Quantity, ReferenceRange, Value, in_digits
from ehr.models import Flag, Item, Part, Range, Section
from ehr.titles import main_coding, title_of
from ehr.views.draft import Draft, Refer, code_of, first_date, new_item, notes, start
from kernel.access import RecordType

# HL7 v3 ObservationInterpretation.
_FLAGS: dict[str, Flag] = {
    "N": "normal",
    "L": "low",
    "LU": "low",
    "H": "high",
    "HU": "high",
    "A": "abnormal",
    "LL": "critical-low",
    "HH": "critical-high",
    "AA": "critical",
    "<": "critical-low",
    ">": "critical-high",
}
_WEIGHT: dict[Flag, int] = {
    "normal": 0,
    "low": 1,
    "high": 1,
    "abnormal": 1,
    "critical": 2,
    "critical-low": 2,
    "critical-high": 2,
}
CALL_DOCTOR_VI = "Kết quả này cần được bác sĩ xem sớm. Hãy gọi cho bác sĩ hoặc cơ sở y tế của bạn."

_SECTIONS: dict[str, Section] = {
    "vital-signs": "vital-signs",
    "vital-sign": "vital-signs",
    "social-history": "social",
    "survey": "other",
    "exam": "other",
    "therapy": "other",
    "activity": "other",
}
# LOINC: pregnancy status, delivery date, last menstrual period.
_PREGNANCY = frozenset({"82810-3", "11778-8", "11779-6", "11780-4", "8665-2", "11996-6"})


def observation(ident: str, o: Observation, _refer: Refer) -> Draft:
    when = first_date(o.effective_date_time, start(o.effective_period), o.effective_instant, o.issued)
    category = _category(o)
    item = new_item(ident, _record_type(o, category), title_of(o.code, "Kết quả chưa rõ tên"), o.status, when)
    item.category = category
    item.text = notes(o.note)
    item.recorded_by = next((p.display for p in o.performer), None)
    item.parts = [_part(c) for c in o.component]
    _read_value(item, o)
    weight = max([_weight(item.flag), *(_weight(p.flag) for p in item.parts)])
    if weight == 2:
        item.notice_vi = CALL_DOCTOR_VI
    return Draft(
        item=item,
        section=_section(o, category),
        concept=o.code,
        when=when,
        encounter=o.encounter,
        category=category,
        flag=weight,
    )


def value_text(value: Value) -> str | None:
    """The value as people read it. A number keeps its zeros: they say how exact it is."""
    if value.value_quantity is not None:
        return _number(value.value_quantity)
    if value.value_codeable_concept is not None:
        return title_of(value.value_codeable_concept, "không rõ")
    if value.value_range is not None:
        low, high = value.value_range.low, value.value_range.high
        return f"{_number(low) or ''}–{_number(high) or ''}"
    if value.value_boolean is not None:
        return "có" if value.value_boolean else "không"
    if value.value_integer is not None:
        return str(value.value_integer)
    return value.value_string or value.value_date_time


def _read_value(item: Item, o: Observation) -> None:
    item.value = value_text(o)
    item.unit = _unit(o.value_quantity)
    item.range = _range(_normal_range(o))
    item.flag = flag_of(o)


def _part(c: Component) -> Part:
    coding = main_coding(c.code)
    return Part(
        title=title_of(c.code),
        code=coding.code if coding else None,
        value=value_text(c),
        unit=_unit(c.value_quantity),
        range=_range(_normal_range(c)),
        flag=flag_of(c),
    )


def flag_of(value: Value) -> Flag | None:
    """The laboratory's own word; without one, the number against the ranges of this very result.

    A number beyond the range that calls for treatment is critical, whatever the word says.
    """
    named = code_of(value.interpretation[0]) if value.interpretation else None
    told = _FLAGS.get(named or "")
    if told is not None and _WEIGHT[told] == 2:
        return told
    side = _outside(value.value_quantity, _critical_range(value))
    if side is not None:
        return "critical-low" if side == "low" else "critical-high"
    if told is not None:
        return told
    normal = _normal_range(value)
    side = _outside(value.value_quantity, normal)
    return side or ("normal" if normal is not None and _comparable(value.value_quantity, normal) else None)


def _outside(quantity: Quantity | None, bounds: ReferenceRange | None) -> Flag | None:
    if quantity is None or bounds is None or not _comparable(quantity, bounds):
        return None
    number = quantity.value or Decimal(0)
    if bounds.low and bounds.low.value is not None and number < bounds.low.value:
        return "low"
    if bounds.high and bounds.high.value is not None and number > bounds.high.value:
        return "high"
    return None


def _comparable(quantity: Quantity | None, bounds: ReferenceRange) -> bool:
    """A bare number in the unit of the range: '<5' and other units are left to people."""
    if quantity is None or quantity.value is None or quantity.comparator is not None:
        return False
    limits = [q for q in (bounds.low, bounds.high) if q is not None and q.value is not None]
    return bool(limits) and all(q.unit in (None, quantity.unit, quantity.code) for q in limits)


def _normal_range(value: Value) -> ReferenceRange | None:
    if not value.reference_range:
        return None
    return next(
        (r for r in value.reference_range if code_of(r.type) in (None, "normal", "recommended")), None
    )


def _critical_range(value: Value) -> ReferenceRange | None:
    if not value.reference_range:
        return None
    # referencerange-meaning "treatment": outside it, treatment is required.
    return next((r for r in value.reference_range if code_of(r.type) in ("treatment", "critical")), None)


def _range(bounds: ReferenceRange | None) -> Range | None:
    if bounds is None:
        return None
    return Range(
        low=_number(bounds.low),
        high=_number(bounds.high),
        unit=_unit(bounds.low) or _unit(bounds.high),
        text=bounds.text,
    )


def _number(quantity: Quantity | None) -> str | None:
    if quantity is None or quantity.value is None:
        return None
    return f"{quantity.comparator or ''}{in_digits(quantity.value)}"


def _unit(quantity: Quantity | None) -> str | None:
    return (quantity.unit or quantity.code) if quantity else None


def _weight(flag: Flag | None) -> int:
    return 0 if flag is None else _WEIGHT[flag]


def _category(o: Observation) -> str | None:
    codes = [c.code for concept in o.category for c in concept.coding if c.code]
    return "laboratory" if "LAB" in codes else next(iter(codes), None)


def _record_type(o: Observation, category: str | None) -> RecordType:
    if _section(o, category) == "pregnancy":
        return "Observation.pregnancy"
    if category == "laboratory":
        return "Observation.laboratory"
    if category in ("vital-signs", "vital-sign"):
        return "Observation.vital-signs"
    return "Observation.other"


def _section(o: Observation, category: str | None) -> Section:
    if any(c.code in _PREGNANCY for c in o.code.coding):
        return "pregnancy"
    return _SECTIONS.get(category or "", "results")
