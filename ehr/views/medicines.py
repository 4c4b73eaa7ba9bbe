"""Medicines and vaccinations."""

from typing import TypeGuard

from ehr.fhir import (
    Concept,
    Dosage,
    Immunization,
    MedicationRequest,
    MedicationStatement,
    Quantity,
    Reference,
    Repeat,
    in_digits,
)
from ehr.intake.systems import PRESCRIPTION, PRESCRIPTION_LINE
from ehr.models import Item
from ehr.titles import title_of
from ehr.views.draft import Draft, Refer, active_until, end, first_date, name_of, new_item, notes, start
from ehr.views.problems import is_none_known, is_not_asked

_UNNAMED = "Thuốc chưa rõ tên"
_PERIODS = {
    "min": "phút",
    "h": "giờ",
    "d": "ngày",
    "wk": "tuần",
    "mo": "tháng",
    "a": "năm",
}


def medication_request(ident: str, m: MedicationRequest, refer: Refer) -> Draft:
    when = first_date(m.authored_on)
    item = new_item(
        ident,
        "MedicationRequest",
        _name(m.medication_codeable_concept, m.medication_reference, refer),
        m.status,
        when,
    )
    item.recorded_by = name_of(m.requester)
    item.text = notes(m.note)
    draft = _medicine(item, m.medication_codeable_concept, m.dosage_instruction, m.encounter, None)
    if m.group_identifier is not None and m.group_identifier.system == PRESCRIPTION:
        item.prescription_id = m.group_identifier.value
        lines = [i.value for i in m.identifier if i.system == PRESCRIPTION_LINE]
        item.prescription_line = next((int(text) for text in lines if _is_number(text)), None)
        draft.category = "prescription"
    return draft


def medication_statement(ident: str, m: MedicationStatement, refer: Refer) -> Draft:
    when = first_date(start(m.effective_period), m.effective_date_time, m.date_asserted)
    item = new_item(
        ident,
        "MedicationStatement",
        _name(m.medication_codeable_concept, m.medication_reference, refer),
        m.status,
        when,
    )
    item.recorded_by = name_of(m.information_source)
    item.text = notes(m.note)
    return _medicine(item, m.medication_codeable_concept, m.dosage, m.context, end(m.effective_period))


def immunization(ident: str, i: Immunization, _refer: Refer) -> Draft:
    when = first_date(i.occurrence_date_time)
    item = new_item(ident, "Immunization", title_of(i.vaccine_code, "Vắc xin chưa rõ tên"), i.status, when)
    item.dose_number = next(
        (_dose_number(p.dose_number_positive_int, p.dose_number_string) for p in i.protocol_applied), None
    )
    item.lot_number = i.lot_number
    item.lines = [i.manufacturer.display] if i.manufacturer and i.manufacturer.display else []
    item.recorded_by = next((name_of(p.actor) for p in i.performer), None)
    item.text = notes(i.note)
    none = is_none_known(i.vaccine_code)
    return Draft(
        item=item,
        section=None if is_not_asked(i.vaccine_code) else "immunizations",
        concept=i.vaccine_code,
        when=when,
        active_until=active_until(i.status == "completed" and not none, None),
        encounter=i.encounter,
        negative=none,
    )


def dosage_lines(dosages: list[Dosage]) -> list[str]:
    """The prescriber's own words; a plain sentence from the structure where there are none. Doses of one
    line that differ by the part of the day repeat its text: it is shown once."""
    lines = (d.text or d.patient_instruction or _sentence(d) for d in dosages)
    return list(dict.fromkeys(line for line in lines if line))


def _medicine(
    item: Item,
    concept: Concept | None,
    dosages: list[Dosage],
    encounter: Reference | None,
    ending: str | None,
) -> Draft:
    item.dosage = dosage_lines(dosages)
    ending = ending or _course_end(dosages)
    item.course_end = ending
    none = is_none_known(concept)
    return Draft(
        item=item,
        section=None if is_not_asked(concept) else "medications",
        concept=concept,
        when=first_date(item.date),
        active_until=active_until(item.status == "active" and not none, ending),
        encounter=encounter,
        negative=none,
    )


def _name(concept: Concept | None, reference: Reference | None, refer: Refer) -> str:
    if concept is not None or reference is None:
        return title_of(concept, _UNNAMED)
    found = refer(reference.reference) if reference.reference else None
    return (found.title if found else None) or reference.display or _UNNAMED


def _course_end(dosages: list[Dosage]) -> str | None:
    """The end of the course where every line of the prescription states one."""
    repeats = [d.timing.repeat if d.timing else None for d in dosages]
    ends = [end(r.bounds_period) if r else None for r in repeats]
    known = [e for e in ends if e]
    return max(known) if known and len(known) == len(ends) else None


def _sentence(dosage: Dosage) -> str | None:
    repeat = dosage.timing.repeat if dosage.timing else None
    parts = [_amount(d.dose_quantity) for d in dosage.dose_and_rate if d.dose_quantity]
    parts += [_rhythm(repeat)] if repeat else []
    parts += ["khi cần"] if dosage.as_needed_boolean else []
    return ", ".join(p for p in parts if p) or None


def _amount(quantity: Quantity) -> str:
    value = "" if quantity.value is None else in_digits(quantity.value)
    return f"mỗi lần {value} {quantity.unit or ''}".strip() if value else ""


def _rhythm(repeat: Repeat) -> str:
    unit = _PERIODS.get(repeat.period_unit or "")
    if repeat.frequency is None or repeat.period is None or unit is None:
        return ""
    each = "" if repeat.period == 1 else f"{in_digits(repeat.period.normalize())} "
    return f"{repeat.frequency} lần mỗi {each}{unit}"


def _is_number(text: str | None) -> TypeGuard[str]:
    return text is not None and text.isascii() and text.isdigit() and len(text) < 6


def _dose_number(number: int | None, text: str | None) -> str | None:
    return str(number) if number is not None else text
