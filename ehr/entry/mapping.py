"""A manual entry as a unit of FHIR resources: the same shapes that files become (docs/mapping.md)."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec import field

from ehr.dosage.instruction import dosage_instruction
from ehr.entry.models import EntryBody, EntryMedication, EntryPerson, EntryResult, EntryVitalSigns
from ehr.intake import systems
from ehr.intake.bundle_person import is_identifier
from ehr.intake.drafts import UnitDraft
from ehr.intake.episode import concept, quantity, value_of
from ehr.intake.models import IdentifierKind, PersonFacts, Unit
from ehr.intake.phr831_person import add_patient
from ehr.intake.signs import PRESSURE, SIGNS, Sign, pressure
from ehr.intake.survey import is_fhir_date
from ehr.intake.xml_fields import SLACK, is_ahead, is_later
from kernel.access import Actor

_CLASSES: Final = {"outpatient": "AMB", "inpatient": "IMP", "emergency": "EMER", "home": "HH", "remote": "VR"}


class Form(UnitDraft):
    """An entry while it is mapped. by: who enters it, as a FHIR reference without an id."""

    by: dict[str, Any] = field(default_factory=dict)
    start: str = ""

    @property
    def common(self) -> dict[str, Any]:
        return {"subject": self.patient, "encounter": {"reference": self.name("Encounter")}}


def unit_of(body: EntryBody, entry_id: UUID, actor: Actor, now: datetime) -> Unit:
    """The unit of an entry. Raises BadInputError with every wrong field."""
    form = Form(f"entry:{entry_id}", by=author_of(actor), start=body.encounter.started_at)
    person = person_of(body.person, form)
    _check_dates(body, form, now)
    form.refuse_faults()
    add_patient("person", person, form)
    _map_encounter(body, form, _map_diagnoses(body, form))
    _map_signs(body, form)
    for number, result in enumerate(body.results):
        _map_result(result, f"results[{number}]", form)
    for number, line in enumerate(body.medications):
        _map_medication(line, f"medications[{number}]", form, prescribes=actor.role == "doctor")
    _map_allergies(body, form)
    _map_acts(body, form)
    _map_onward(body, form)
    return form.unit("entry", "entry", person)


def author_of(actor: Actor) -> dict[str, Any]:
    """Who enters it, as a FHIR reference without an id."""
    licence = {"identifier": {"system": systems.PROVIDER_CODE, "value": actor.licence}}
    return {**(licence if actor.licence else {}), "display": actor.name}


def person_of(person: EntryPerson, form: UnitDraft) -> PersonFacts:
    """Whom a form names; a number of a wrong form is a fault of it."""
    found: list[tuple[IdentifierKind, str]] = []
    for number, one in enumerate(person.numbers):
        value = one.value.strip()
        if is_identifier(one.kind, value):
            found.append((one.kind, value))
        else:
            form.fault("bad-identifier", f"person.numbers[{number}].value")
    return PersonFacts(
        identifiers=tuple(dict.fromkeys(found)),
        name=person.name.strip(),
        birth_date=person.birth_date,
        sex=person.sex,
    )


def _check_dates(body: EntryBody, form: Form, now: datetime) -> None:
    """Every date exists, and nothing was done in the future."""
    visit = body.encounter
    told: list[tuple[str, str | None]] = [
        ("person.birth_date", body.person.birth_date),
        ("encounter.started_at", visit.started_at),
        ("encounter.ended_at", visit.ended_at),
        *((f"results[{n}].done_at", one.done_at) for n, one in enumerate(body.results)),
        *((f"immunizations[{n}].given_at", one.given_at) for n, one in enumerate(body.immunizations)),
        *((f"procedures[{n}].performed_at", one.performed_at) for n, one in enumerate(body.procedures)),
    ]
    for where, text in told:
        if text is None:
            continue
        if not is_fhir_date(text):
            form.fault("bad-date", where)
        elif is_ahead(text, now):
            form.fault("future-date", where)
    if body.revisit_on is not None and is_later(now.isoformat(), body.revisit_on.isoformat(), SLACK):
        form.fault("bad-date", "revisit_on")


def _map_diagnoses(body: EntryBody, form: Form) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for number, one in enumerate(body.diagnoses):
        reference = form.numbered("Condition", one.code or one.name)
        resource = {
            "clinicalStatus": concept("", (systems.CONDITION_CLINICAL, "active")),
            "category": [concept("", (systems.CONDITION_CATEGORY, "encounter-diagnosis"))],
            "code": concept(one.name, (systems.ICD10, one.code or "")),
            **form.common,
            "recordedDate": form.start,
            "recorder": form.by,
        }
        form.add(reference, resource, f"diagnoses[{number}]")
        use = concept("", (systems.DIAGNOSIS_ROLE, "CM" if made else "CC"))
        made.append({"condition": {"reference": reference}, "use": use, "rank": number + 1})
    return made


def _map_encounter(body: EntryBody, form: Form, diagnoses: list[dict[str, Any]]) -> None:
    visit = body.encounter
    number = visit.visit_number
    resource = {
        "identifier": [{"system": systems.VISIT_NUMBER, "value": number}] if number else [],
        "status": "finished",
        "class": {"system": systems.ACT_CODE, "code": _CLASSES[visit.kind]},
        "serviceType": concept(visit.department or ""),
        "subject": form.patient,
        "participant": [{"individual": form.by}],
        "period": {"start": visit.started_at} | ({"end": visit.ended_at} if visit.ended_at else {}),
        "reasonCode": [{"text": visit.reason}] if visit.reason else [],
        "diagnosis": diagnoses,
    }
    form.add(form.name("Encounter"), resource, "encounter")


def _map_signs(body: EntryBody, form: Form) -> None:
    around = {**form.common, "effectiveDateTime": form.start, "performer": [form.by]}
    add_signs(form, body.vital_signs, around, "vital_signs")


def add_signs(
    draft: UnitDraft, signs: EntryVitalSigns | None, around: dict[str, Any], where: str, *identity: str
) -> None:
    """Each sign as an Observation. around: whose, of which visit, when and by whom; identity: what tells the
    signs of several visits of one unit apart."""
    if signs is None:
        return
    for name, sign in SIGNS.items():
        field_name = name.replace("-", "_")
        if value := getattr(signs, field_name, None):
            _observe(draft, around, f"{where}.{field_name}", sign, sign.amount(value), identity)
    if parts := pressure(signs.systolic, signs.diastolic):
        _observe(draft, around, f"{where}.systolic", PRESSURE, parts, identity)


def _observe(
    draft: UnitDraft,
    around: dict[str, Any],
    where: str,
    sign: Sign,
    value: dict[str, Any],
    identity: tuple[str, ...],
) -> None:
    resource = {
        "status": "final",
        "category": [concept("", (systems.OBSERVATION_CATEGORY, "vital-signs"))],
        "code": sign.concept,
        **around,
        **value,
    }
    draft.add(draft.name("Observation", *identity, sign.code), resource, where)


def _map_result(result: EntryResult, where: str, form: Form) -> None:
    code, when = concept(result.name, (systems.SERVICE, result.code or "")), result.done_at or form.start
    common = {"code": code, **form.common, "effectiveDateTime": when, "performer": [form.by]}
    identity = (result.kind, result.code or result.name, when)
    if result.kind == "imaging":
        texts = [text for text in (result.conclusion, result.value) if text]
        report = {
            "status": "final" if texts else "registered",
            "category": [concept("", (systems.REPORT_CATEGORY, "RAD"))],
            **common,
            "conclusion": "\n".join(texts),
        }
        form.add(form.numbered("DiagnosticReport", *identity), report, where)
        return
    value = value_of(result.value or "", result.unit or "")
    observation = {
        "status": "final" if value else "registered",
        "category": [concept("", (systems.OBSERVATION_CATEGORY, "laboratory"))],
        **common,
        **value,
        "note": [{"text": result.conclusion}] if result.conclusion else [],
    }
    form.add(form.numbered("Observation", *identity), observation, where)


def _map_medication(line: EntryMedication, where: str, form: Form, *, prescribes: bool) -> None:
    """requester only when the prescriber enters it; a nurse writes down what a doctor ordered."""
    title = line.name if not line.strength else f"{line.name} {line.strength}"
    amount = {"quantity": quantity(line.quantity, line.unit or "")} if line.quantity else {}
    route = concept(line.route or "")
    resource = {
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": concept(title),
        **form.common,
        "authoredOn": form.start,
        "requester": form.by if prescribes else {},
        "recorder": form.by,
        "dosageInstruction": dosage_instruction(line.dosage, line.instruction or "", form.start, route),
        "dispenseRequest": amount,
    }
    form.add(form.numbered("MedicationRequest", title, form.start), resource, where)


def _map_allergies(body: EntryBody, form: Form) -> None:
    for number, one in enumerate(body.allergies):
        reaction = {"manifestation": [{"text": one.reaction}]} if one.reaction else {}
        if reaction and one.severity:
            reaction["severity"] = one.severity  # type: ignore[assignment]
        resource = {
            "clinicalStatus": concept("", (systems.ALLERGY_CLINICAL, "active")),
            "category": [one.category] if one.category else [],
            "code": concept(one.substance),
            "patient": form.patient,
            "encounter": {"reference": form.name("Encounter")},
            "recordedDate": form.start,
            "recorder": form.by,
            "reaction": [reaction] if reaction else [],
        }
        form.add(form.numbered("AllergyIntolerance", one.substance), resource, f"allergies[{number}]")


def _map_acts(body: EntryBody, form: Form) -> None:
    for number, dose in enumerate(body.immunizations):
        resource = {
            "status": "completed",
            "vaccineCode": concept(dose.vaccine, (systems.VACCINE, dose.code or "")),
            "patient": form.patient,
            "encounter": {"reference": form.name("Encounter")},
            "occurrenceDateTime": dose.given_at,
            "lotNumber": dose.lot_number,
            "performer": [{"actor": form.by}],
            "protocolApplied": [{"doseNumberPositiveInt": dose.dose_number}] if dose.dose_number else [],
        }
        reference = form.numbered("Immunization", dose.code or dose.vaccine, dose.given_at)
        form.add(reference, resource, f"immunizations[{number}]")
    for number, act in enumerate(body.procedures):
        resource = {
            "status": "completed",
            "code": concept(act.name, (systems.SERVICE, act.code or "")),
            **form.common,
            "performedDateTime": act.performed_at or form.start,
            "performer": [{"actor": form.by}],
        }
        form.add(form.numbered("Procedure", act.code or act.name), resource, f"procedures[{number}]")


def _map_onward(body: EntryBody, form: Form) -> None:
    if body.advice:
        plan = {
            "status": "active",
            "intent": "plan",
            "title": "Lời dặn",
            "description": body.advice,
            **form.common,
            "created": form.start,
            "author": form.by,
        }
        form.add(form.name("CarePlan"), plan, "advice")
    if body.revisit_on:
        day = body.revisit_on.isoformat()
        revisit = {
            "status": "booked",
            "description": "Hẹn khám lại",
            "requestedPeriod": [{"start": day, "end": day}],
            "supportingInformation": [form.common["encounter"]],
            "participant": [{"actor": form.patient, "status": "accepted"}],
        }
        form.add(form.name("Appointment"), revisit, "revisit_on")
