"""An enrolment as a unit of FHIR resources: an EpisodeOfCare, its CarePlan, and each visit as an Encounter.

The whole unit is made anew with every change; what it no longer says is retracted (ehr/store.py). What would
tell of a pregnancy stands only in resources that are read as `Observation.pregnancy`: a visit of it has a
neutral name.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from msgspec import field

from ehr.entry.mapping import add_signs, person_of
from ehr.intake import systems
from ehr.intake.drafts import UnitDraft
from ehr.intake.episode import concept
from ehr.intake.models import Unit
from ehr.intake.phr831_person import add_patient
from ehr.intake.survey import is_fhir_date
from ehr.models import PROGRAMME_UNIT
from ehr.pregnancy.dating import date_of
from ehr.pregnancy.models import Dating, PregnancyFacts
from ehr.pregnancy.rules import RULES
from ehr.programmes.models import Author, Enrolment, EnrolmentBody, VisitKept
from ehr.programmes.names import PROGRAMME_VI, ending, freshness, sentence, title_of
from ehr.programmes.policy import security_codes
from ehr.views.care import PREGNANCY
from kernel.clock import local_day

ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
DUE_DATE: Final = "11778-8"
# Tetanus toxoid, of no named make: another facility counts the dose by it (ehr/pregnancy/rules.json).
TETANUS: Final = ("http://hl7.org/fhir/sid/cvx", "112")
AHEAD_MAX: Final = timedelta(days=5 * 366)
# Wider than any pregnancy: beyond it a date is a typing error.
_SPAN: Final = timedelta(days=330)
# Whoever is followed today was not yet born.
EARLIEST: Final = date(1900, 1, 1)


def key_of(enrolment_id: UUID) -> str:
    """What the unit of an enrolment is called."""
    return f"{PROGRAMME_UNIT}{enrolment_id}"


class Plan(UnitDraft):
    """An enrolment while it is mapped. security: labels that every resource of it carries."""

    by: dict[str, Any] = field(default_factory=dict)
    facility_name: str = ""
    security: list[str] = field(default_factory=list)

    def add(self, reference: str, body: dict[str, Any], where: str, hints: str = "") -> None:
        coded = [{"system": ACT_CODE, "code": code} for code in self.security]
        super().add(reference, ({"meta": {"security": coded}} if coded else {}) | body, where, hints)


def unit_of(
    doc: Enrolment, said: Sequence[EnrolmentBody], enrolment_id: UUID, facility_name: str, now: datetime
) -> Unit:
    """The unit of an enrolment. said: every version of its body that stands, for what the labels protect.

    Raises BadInputError with every wrong field.
    """
    plan = Plan(key_of(enrolment_id), by=_reference(doc.recorded_by), facility_name=facility_name)
    person = person_of(doc.body.person, plan)
    _check(doc, plan, local_day(now))
    plan.refuse_faults()
    plan.security = security_codes([*said[:-1], doc.body])
    dating = date_of(doc.body.pregnancy) if doc.body.pregnancy else None
    add_patient("person", person, plan)
    _map_episode(doc, plan, enrolment_id)
    _map_plan(doc, plan, dating)
    for number, visit in enumerate(doc.visits):
        _map_visit(doc, visit, f"visits[{number}]", plan)
    if dating is not None and doc.end is None:
        _map_due_date(doc, dating, plan)
    return plan.unit("programme", "programme", person)


def _reference(author: Author) -> dict[str, Any]:
    """Who said it, as a FHIR reference without an id."""
    licence = {"identifier": {"system": systems.PROVIDER_CODE, "value": author.licence}}
    return {**(licence if author.licence else {}), "display": author.name}


def _check(doc: Enrolment, plan: Plan, today: date) -> None:
    """Every date is possible, nothing was done in the future, and a pregnancy can be dated."""
    body = doc.body
    if not is_fhir_date(body.person.birth_date):
        plan.fault("bad-date", "person.birth_date")
    _past(plan, "enrolled_on", body.enrolled_on, today)
    _past(plan, "reported_on", body.reported_on, today)
    _ahead(plan, "next_visit_on", body.next_visit_on, body.enrolled_on, today)
    is_pregnancy = body.programme == PREGNANCY
    if is_pregnancy != (body.pregnancy is not None):
        plan.fault("missing-field" if is_pregnancy else "unexpected-field", "pregnancy")
    if body.pregnancy is not None:
        _check_pregnancy(body.pregnancy, plan, body.enrolled_on, today)
    for number, visit in enumerate(doc.visits):
        where, told = f"visits[{number}]", visit.body
        _past(plan, f"{where}.visited_on", told.visited_on, today)
        _ahead(plan, f"{where}.next_visit_on", told.next_visit_on, told.visited_on, today)
        if told.tetanus is not None and not is_pregnancy:
            plan.fault("unexpected-field", f"{where}.tetanus")
    if doc.end is not None:
        _past(plan, "ended_on", doc.end.ended_on, today)
        if doc.end.ended_on < body.enrolled_on:
            plan.fault("bad-date", "ended_on")
        if doc.end.reason in ("birth", "pregnancy-ended") and not is_pregnancy:
            plan.fault("unexpected-field", "reason")


def _past(plan: Plan, where: str, day: date | None, today: date) -> None:
    if day is not None and day > today:
        plan.fault("future-date", where)
    elif day is not None and day < EARLIEST:
        plan.fault("bad-date", where)


def _ahead(plan: Plan, where: str, day: date | None, since: date, today: date) -> None:
    if day is not None and not since <= day <= today + AHEAD_MAX:
        plan.fault("bad-date", where)


def _check_pregnancy(facts: PregnancyFacts, plan: Plan, enrolled_on: date, today: date) -> None:
    told = {
        "last_period_on": facts.last_period_on,
        "ultrasound.on": facts.ultrasound.on if facts.ultrasound else None,
        "last_tetanus_on": facts.last_tetanus_on,
    }
    for where, day in told.items():
        _past(plan, f"pregnancy.{where}", day, today)
    near = {**told, "due_on": facts.due_on}
    near.pop("last_tetanus_on")
    if not any(near.values()):
        plan.fault("missing-field", "pregnancy.last_period_on")
    for where, day in near.items():
        if day is not None and abs(day - enrolled_on) > _SPAN:
            plan.fault("bad-date", f"pregnancy.{where}")


def _map_episode(doc: Enrolment, plan: Plan, enrolment_id: UUID) -> None:
    resource = {
        "identifier": [{"system": systems.PROGRAMME_ENROLMENT, "value": str(enrolment_id)}],
        "status": "active" if doc.end is None else "finished",
        "type": [_programme(doc)],
        "patient": plan.patient,
        "managingOrganization": {"display": plan.facility_name},
        "period": _period(doc),
    }
    plan.add(plan.name("EpisodeOfCare"), resource, "enrolment")


def _map_plan(doc: Enrolment, plan: Plan, dating: Dating | None) -> None:
    body = doc.body
    resource = {
        "extension": [{"url": systems.PROGRAMME_STATE, "extension": _state(doc, dating)}],
        "status": "active" if doc.end is None else "completed",
        "intent": "plan",
        "category": [_programme(doc)],
        "title": title_of(body.programme),
        "description": sentence(doc, plan.facility_name),
        "subject": plan.patient,
        "period": _period(doc),
        "created": body.enrolled_on.isoformat(),
        "author": plan.by,
        "supportingInfo": [{"reference": plan.name("EpisodeOfCare")}],
    }
    plan.add(plan.name("CarePlan"), resource, "enrolment")


def _programme(doc: Enrolment) -> dict[str, Any]:
    code = doc.body.programme
    return concept(PROGRAMME_VI[code], (systems.PROGRAMME, code))


def _period(doc: Enrolment) -> dict[str, str]:
    started = {"start": doc.body.enrolled_on.isoformat()}
    return started if doc.end is None else started | {"end": doc.end.ended_on.isoformat()}


def _state(doc: Enrolment, dating: Dating | None) -> list[dict[str, Any]]:
    """What FHIR has no field of its own for; ehr/views/care.py and ehr/pregnancy/reading.py read it."""
    body, end = doc.body, doc.end
    told: list[dict[str, Any]] = []
    if body.next_visit_on is not None and end is None:
        told.append(_day("next-visit", body.next_visit_on))
    texts = (
        ("stage", f"Giai đoạn: {body.stage}" if body.stage else ""),
        ("ending", ending(doc)),
        ("freshness", freshness(doc)),
    )
    told += [{"url": url, "valueString": text} for url, text in texts if text]
    if body.reported_on is not None:
        told.append(_day("reported-on", body.reported_on))
    if body.pregnancy is not None and dating is not None:
        told += _pregnancy(doc, body.pregnancy, dating)
    return told


def _pregnancy(doc: Enrolment, facts: PregnancyFacts, dating: Dating) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = [
        _day("due-on", dating.due_on),
        {"url": "dated-by", "valueCode": dating.dated_by},
    ]
    if facts.tetanus_doses_before is not None:
        told.append({"url": "tetanus-before", "valueInteger": facts.tetanus_doses_before})
    if facts.last_tetanus_on is not None:
        told.append(_day("tetanus-last", facts.last_tetanus_on))
    for visit in doc.visits:
        told.append(_day("visit", visit.body.visited_on))
        if dose := visit.body.tetanus:
            parts = [{"url": "number", "valueInteger": dose.number}, _day("on", visit.body.visited_on)]
            told.append({"url": "tetanus-dose", "extension": parts})
    return told


def _day(url: str, day: date) -> dict[str, Any]:
    return {"url": url, "valueDate": day.isoformat()}


def _map_visit(doc: Enrolment, visit: VisitKept, where: str, plan: Plan) -> None:
    told, number, day = visit.body, str(visit.visit_id), visit.body.visited_on.isoformat()
    by = _reference(visit.recorded_by)
    is_open = doc.body.programme != PREGNANCY
    encounter = plan.name("Encounter", number)
    common = {"subject": plan.patient, "encounter": {"reference": encounter}}
    named = f"Khám theo dõi {PROGRAMME_VI[doc.body.programme]}" if is_open else "Khám theo dõi"
    resource = {
        "status": "finished",
        "class": {"system": systems.ACT_CODE, "code": "HH" if told.place == "home" else "AMB"},
        "type": [concept(named)],
        "subject": plan.patient,
        "episodeOfCare": [{"reference": plan.name("EpisodeOfCare")}],
        "participant": [{"individual": by}],
        "period": {"start": day, "end": day},
    }
    plan.add(encounter, resource, where)
    around = {**common, "effectiveDateTime": day, "performer": [by]}
    add_signs(plan, told.vital_signs, around, f"{where}.vital_signs", number)
    if told.advice:
        _map_advice(
            doc,
            told.advice,
            common | {"created": day, "author": by},
            plan.name("CarePlan", number),
            where,
            plan,
        )
    if told.tetanus is not None:
        dose = {
            "status": "completed",
            "vaccineCode": concept("Vắc xin uốn ván", TETANUS),
            "patient": plan.patient,
            "encounter": {"reference": encounter},
            "occurrenceDateTime": day,
            "lotNumber": told.tetanus.lot_number,
            "performer": [{"actor": by}],
            "protocolApplied": [{"doseNumberPositiveInt": told.tetanus.number}],
        }
        plan.add(plan.name("Immunization", number), dose, f"{where}.tetanus")


def _map_advice(
    doc: Enrolment, advice: str, common: dict[str, Any], reference: str, where: str, plan: Plan
) -> None:
    resource = {
        "status": "active",
        "intent": "plan",
        "category": [_programme(doc)],
        "title": "Lời dặn",
        "description": advice,
        **common,
    }
    plan.add(reference, resource, f"{where}.advice")


def _map_due_date(doc: Enrolment, dating: Dating, plan: Plan) -> None:
    """What the summary of every doctor says of a pregnancy (IPS), while it lasts."""
    resource = {
        "status": "final",
        "code": concept("Ngày dự sinh", (systems.LOINC, DUE_DATE)),
        "subject": plan.patient,
        "effectiveDateTime": doc.body.enrolled_on.isoformat(),
        "performer": [plan.by],
        "valueDateTime": dating.due_on.isoformat(),
        "method": concept(f"{dating.dated_by} (rules {RULES.version})"),
    }
    plan.add(plan.name("Observation", DUE_DATE), resource, "pregnancy")
