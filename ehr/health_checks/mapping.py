"""A filled-in check as one unit: the visit, the form with its answers, and beside it what else they are:
signs, diagnoses and results under their own types, so that they stand where people look for them.

The form's items are one flat list: the gate then stops single lines of it (ehr/intake/withhold.py). Services
are not among them: a result waits for its release, and the form would tell it.
"""

import re
from collections import defaultdict
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from ehr.health_checks.models import Filled
from ehr.health_checks.templates import SIGN_OF, CheckKind, Place
from ehr.health_checks.values import Answer, read_values
from ehr.intake import systems
from ehr.intake.drafts import UnitDraft
from ehr.intake.episode import concept, value_of
from ehr.intake.ids import name_uuid, resource_id
from ehr.intake.models import Reason, Unit
from ehr.intake.phr831_person import add_patient
from ehr.intake.signs import PRESSURE, Sign, pressure
from ehr.models import CHECK_UNIT
from ehr.views.checks import CONCLUSION, HEALTH_CLASS, KINDS_VI, VALID_UNTIL
from kernel.clock import local_day

DOCUMENT: Final = "health-check"
_YEARS_AHEAD_MAX: Final = 20
_IMAGING: Final = "2"
_ICD: Final = re.compile(r"[A-Z][0-9]{2}(\.[0-9]{1,2})?[†*]?")


class Check(UnitDraft, kw_only=True):
    """A check while it is mapped. by: who enters it, as a FHIR reference without an id."""

    filled: Filled
    by: dict[str, Any]

    @property
    def day(self) -> str:
        return self.filled.done_on.isoformat()

    @property
    def common(self) -> dict[str, Any]:
        return {"subject": self.patient, "encounter": {"reference": self.name("Encounter")}}


def check_id_of(facility_id: UUID, kind: CheckKind, done_on: date, number: str) -> UUID:
    """Which check of the facility it is: a resend of the same number, kind and day is the same check."""
    return UUID(name_uuid(f"{facility_id}\n{kind}\n{done_on.isoformat()}\n{number.strip()}"))


def key_of(check_id: UUID) -> str:
    return f"{CHECK_UNIT}{check_id}"


def form_of_check(check_id: UUID, facility_id: UUID) -> tuple[str, str]:
    """Type and id of the filled-in form of a facility's check in its person's book."""
    return "QuestionnaireResponse", resource_id(
        str(facility_id), UnitDraft(key_of(check_id)).name("QuestionnaireResponse")
    )


def id_in(unit: Unit) -> UUID:
    """The check of a unit that was made here."""
    return UUID(unit.key.partition(":")[2])


def unit_of(
    filled: Filled, check_id: UUID, by: dict[str, Any], now: datetime, faults: list[Reason] | None = None
) -> Unit:
    """The unit of a check. faults: what its reader found wrong. Raises BadInputError with all of them."""
    check = Check(key_of(check_id), filled=filled, by=by, reasons=list(faults or []))
    answers = read_values(filled.form, filled.values, check.reasons)
    _check_envelope(check, now)
    diagnoses, services = _grouped(answers, "diagnosis"), _grouped(answers, "service")
    _check_groups(check, diagnoses, services)
    check.refuse_faults()
    add_patient("person", filled.person, check)
    _map_visit(check, _map_diagnoses(check, diagnoses))
    _map_form(check, answers)
    _map_signs(check, answers)
    _map_services(check, services)
    return check.unit(DOCUMENT, DOCUMENT, filled.person)


def _check_envelope(check: Check, now: datetime) -> None:
    filled, today = check.filled, local_day(now)
    if filled.done_on > today:
        check.fault("future-date", "done_on")
    if filled.done_on.year < 1900:
        check.fault("bad-date", "done_on")
    until = filled.valid_until
    if until is not None and not (filled.done_on <= until and until.year <= today.year + _YEARS_AHEAD_MAX):
        check.fault("bad-date", "valid_until")
    # The number stands in the book: a person's own is never taken for it.
    if filled.number.strip() in {value for _, value in filled.person.identifiers}:
        check.fault("number-of-person", "check_number")


_Groups = dict[int, dict[str, str]]


def _check_groups(check: Check, diagnoses: _Groups, services: _Groups) -> None:
    for number, group in diagnoses.items():
        code = group.get("MABENH")
        if code and _ICD.fullmatch(code) is None:
            check.fault("bad-code", f"MABENH_{number}")
    for number, group in services.items():
        for name in ("TENDICHVU", "MANHOM"):
            if name not in group:
                check.fault("missing-field", f"{name}_{number}")


def _map_visit(check: Check, diagnoses: list[dict[str, Any]]) -> None:
    filled = check.filled
    resource = {
        "identifier": [{"system": systems.VISIT_NUMBER, "value": filled.number.strip()}],
        "status": "finished",
        "class": {"system": systems.ACT_CODE, "code": "AMB"},
        "type": [concept(KINDS_VI[filled.kind], (systems.HEALTH_CHECK, filled.kind))],
        "subject": check.patient,
        "participant": [{"individual": check.by}] if check.by else [],
        "period": {"start": check.day, "end": check.day},
        "diagnosis": diagnoses,
    }
    check.add(check.name("Encounter"), resource, "check")


def _map_form(check: Check, answers: list[Answer]) -> None:
    filled = check.filled
    until = filled.valid_until.isoformat() if filled.valid_until else ""
    # Class, conclusion and validity stand on every check: ours, no fields of QĐ 831.
    items = [
        _item(HEALTH_CLASS, "Phân loại sức khỏe", {"valueString": filled.health_class}, filled.health_class),
        _item(CONCLUSION, "Kết luận", {"valueString": filled.conclusion}, filled.conclusion),
        _item(VALID_UNTIL, "Có giá trị đến", {"valueDate": until}, until),
        *(
            _item(_link_id(one.place), one.place.field.title, one.value, one.text)
            for one in answers
            if one.place.section.makes != "service"
        ),
    ]
    resource = {
        "identifier": {"system": systems.VISIT_NUMBER, "value": filled.number.strip()},
        "questionnaire": filled.form.canonical,
        "meta": {"tag": [{"system": systems.HEALTH_CHECK, "code": filled.kind}]},
        "status": "completed",
        **check.common,
        "authored": check.day,
        "author": check.by,
        "item": [item for item in items if item],
    }
    check.add(check.name("QuestionnaireResponse"), resource, "check")


def _link_id(place: Place) -> str:
    return f"{place.section.code}.{place.name}"


def _item(link_id: str, text: str, value: dict[str, Any], told: str | None) -> dict[str, Any]:
    return {"linkId": link_id, "text": text, "answer": [value]} if told else {}


def _map_signs(check: Check, answers: list[Answer]) -> None:
    told = {one.place.field.sign: one for one in answers if one.place.field.sign}
    systolic, diastolic = told.pop("systolic", None), told.pop("diastolic", None)
    for name, one in told.items():
        assert name is not None
        _observe(check, one.place.name, SIGN_OF[name], one.value)
    if parts := pressure(systolic.text if systolic else None, diastolic.text if diastolic else None):
        _observe(check, "blood_pressure", PRESSURE, parts)


def _observe(check: Check, where: str, sign: Sign, value: dict[str, Any]) -> None:
    resource = {
        "status": "final",
        "category": [concept("", (systems.OBSERVATION_CATEGORY, "vital-signs"))],
        "code": sign.concept,
        **check.common,
        "effectiveDateTime": check.day,
        "performer": [check.by] if check.by else [],
        **value,
    }
    check.add(check.name("Observation", sign.code), resource, where)


def _grouped(answers: list[Answer], makes: str) -> _Groups:
    """The texts of a repeated section by its number."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for one in answers:
        if one.place.section.makes == makes:
            found[one.place.number][one.place.field.code] = one.text
    return found


def _map_diagnoses(check: Check, groups: _Groups) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for number, group in groups.items():
        code, name, verdict = group.get("MABENH", ""), group.get("TENBENH", ""), group.get("KETLUAN", "")
        if not (code or name):
            # A conclusion without a disease is a line of the form and no diagnosis.
            continue
        reference = check.numbered("Condition", code or name)
        resource = {
            "clinicalStatus": concept("", (systems.CONDITION_CLINICAL, "active")),
            "category": [concept("", (systems.CONDITION_CATEGORY, "encounter-diagnosis"))],
            "code": concept(name, (systems.ICD10, code)),
            **check.common,
            "recordedDate": check.day,
            "recorder": check.by,
            "note": [{"text": verdict}] if verdict and name else [],
        }
        check.add(reference, resource, f"TENBENH_{number}")
        use = concept("", (systems.DIAGNOSIS_ROLE, "CM" if made else "CC"))
        made.append({"condition": {"reference": reference}, "use": use, "rank": len(made) + 1})
    return made


def _map_services(check: Check, groups: _Groups) -> None:
    for number, group in groups.items():
        name, result = group.get("TENDICHVU", ""), group.get("KETQUA", "")
        code = concept(name, (systems.SERVICE, group.get("MADICHVU", "")))
        common = {"code": code, **check.common, "effectiveDateTime": check.day}
        where = f"TENDICHVU_{number}"
        if group.get("MANHOM") == _IMAGING:
            report = {
                "status": "final" if result else "registered",
                "category": [concept("", (systems.REPORT_CATEGORY, "RAD"))],
                **common,
                "conclusion": result,
            }
            check.add(check.numbered("DiagnosticReport", name), report, where)
            continue
        value = value_of(result)  # the form has no unit
        status = {
            "status": "final" if value else "registered",
            "category": [concept("", (systems.OBSERVATION_CATEGORY, "laboratory"))],
        }
        check.add(check.numbered("Observation", name), {**status, **common, **value}, where)
