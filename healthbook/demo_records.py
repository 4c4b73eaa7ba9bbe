"""Invented FHIR R4 histories: one transaction Bundle per person and facility.

Identifier systems are those of the Vietnam Core guide (ehr-core.md §6): `national_id` is the
12-digit number. Every resource carries the HTEST tag of HL7 ("test health data").
"""

import json
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from healthbook.demo_catalogue import ADULT_VACCINES, ALLERGIES, DRUGS, LABS, STORIES, VACCINES, DemoStory
from healthbook.demo_childhood import measurements
from healthbook.demo_facilities import DemoFacility
from healthbook.demo_people import DemoPerson
from kernel.clock import VIETNAM, add_months

Resource = dict[str, Any]

SID = "http://fhir.ehealth.gov.vn/core/sid/"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
HTEST = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
CATEGORY = "http://terminology.hl7.org/CodeSystem/"
YEARS = 6


class History:
    """The growing Bundle of one person at one facility; ids are the same on every run."""

    def __init__(self, person: DemoPerson, facility: DemoFacility, random: Random) -> None:
        self.person, self.facility, self.random = person, facility, random
        self.entries: list[Resource] = []
        self.counts: dict[str, int] = {}
        self.patient = self.add("Patient", _patient(person, facility))

    def add(self, rtype: str, body: Resource) -> Resource:
        """Put a resource into the Bundle; the answer is a reference to it."""
        number = self.counts[rtype] = self.counts.get(rtype, 0) + 1
        own_id = str(uuid5(NAMESPACE_URL, f"demo/{self.person.key}/{self.facility.key}/{rtype}/{number}"))
        resource = {"resourceType": rtype, "id": own_id, "meta": {"tag": [HTEST]}, **body}
        request = {"method": "PUT", "url": f"{rtype}/{own_id}"}
        self.entries.append({"fullUrl": f"urn:uuid:{own_id}", "resource": resource, "request": request})
        return {"reference": f"urn:uuid:{own_id}"}

    def bundle(self) -> bytes:
        own_id = str(uuid5(NAMESPACE_URL, f"demo/{self.person.key}/{self.facility.key}"))
        body = {"resourceType": "Bundle", "id": own_id, "meta": {"tag": [HTEST]}, "type": "transaction"}
        return json.dumps({**body, "entry": self.entries}, ensure_ascii=False).encode()


def long_history(person: DemoPerson, facility: DemoFacility, today: date, years: int = YEARS) -> bytes:
    """Years of visits for the person's story, allergies and adult vaccines."""
    history = History(person, facility, Random(f"{person.key}/{facility.key}"))
    story = STORIES[person.story]
    add_allergies(history, today)
    add_problems(history, story, today)
    day, visit = today - timedelta(days=years * 365), 0
    while day < today:
        add_visit(history, story, day, newest=day + timedelta(days=story.every_days) >= today, number=visit)
        day, visit = day + timedelta(days=story.every_days + history.random.randint(-3, 3)), visit + 1
    add_adult_vaccines(history, today)
    return history.bundle()


def vaccination_history(person: DemoPerson, facility: DemoFacility, today: date) -> bytes:
    """A child's doses by the ages of the national programme, a few days late as it happens, and what was
    measured, as far as due."""
    history = History(person, facility, Random(f"{person.key}/vaccines"))
    # The same delay for all, so that none comes before its interval is over.
    late = timedelta(days=history.random.randint(0, 6))
    for code, name, maker, ages in VACCINES:
        for dose, (months, days) in enumerate(ages, start=1):
            day = add_months(person.born + (late if months else timedelta()), months) + timedelta(days=days)
            if day < today:
                _add_dose(history, (code, name, maker), day, dose)
    for body in measurements(history.patient, person.born, today):
        history.add("Observation", body)
    return history.bundle()


def add_visit(history: History, story: DemoStory, day: date, *, newest: bool, number: int) -> None:
    """One outpatient visit: diagnosis by its slices, signs, tests, medicines, plan and advice."""
    begin = datetime.combine(day, time(8, history.random.randint(0, 59)), VIETNAM)
    conditions = [_add_diagnosis(history, begin, *coded) for coded in (story.main, *story.comorbid)]
    encounter = history.add("Encounter", _encounter(history, story, begin, conditions))
    for reference in conditions:
        _resource_of(history, reference)["encounter"] = encounter
    _add_signs(history, story, encounter, begin)
    if number % 2 == 0 or newest:
        _add_tests(history, story, encounter, begin + timedelta(minutes=50))
    for drug in story.drugs:
        _add_prescription(history, encounter, begin, drug, story, newest)
    if story.imaging is not None and number % 12 == 3:
        _add_imaging(history, story.imaging, encounter, begin + timedelta(minutes=80))
    history.add("CarePlan", _care_plan(history, story, encounter, begin, newest))


def add_allergies(history: History, today: date) -> None:
    for key in history.person.allergies:
        code, name, reaction, criticality = ALLERGIES[key]
        system = "http://snomed.info/sct" if len(code) > 6 else "http://www.nlm.nih.gov/research/umls/rxnorm"
        body = {
            "clinicalStatus": _concept("allergyintolerance-clinical", "active"),
            "verificationStatus": _concept("allergyintolerance-verification", "confirmed"),
            "criticality": criticality,
            "code": {"coding": [{"system": system, "code": code}], "text": name},
            "patient": history.patient,
            "recordedDate": (today - timedelta(days=1700)).isoformat(),
            "reaction": [{"manifestation": [{"text": reaction}]}],
        }
        history.add("AllergyIntolerance", body)


def add_problems(history: History, story: DemoStory, today: date) -> None:
    """The problem list; the onset is known by year alone."""
    for code, name in (story.main, *story.comorbid):
        body = _condition(history, code, name, "problem-list-item")
        body["onsetDateTime"] = str(today.year - YEARS - 1)
        history.add("Condition", body)


def add_adult_vaccines(history: History, today: date) -> None:
    covid, flu = ADULT_VACCINES
    for dose, day in enumerate((date(2021, 9, 12), date(2021, 10, 24), date(2022, 3, 5)), start=1):
        if day < today:
            _add_dose(history, covid, day, dose)
    for year in range(today.year - 3, today.year):
        _add_dose(history, flu, date(year, 10, 10), 1)


def _patient(person: DemoPerson, facility: DemoFacility) -> Resource:
    known = (("national_id", person.number), ("insurance_number", person.insurance_card))
    identifiers = [{"system": SID + system, "value": value} for system, value in known if value]
    internal = {"system": SID + "patient-internal-id", "value": f"BN-{facility.code}-{person.key}"}
    body: Resource = {
        "identifier": [*identifiers, internal],
        "name": [{"use": "official", "text": person.name}],
        "gender": person.sex,
        "birthDate": person.birth_date,
        "address": [{"text": person.address, "country": "VN"}],
    }
    if person.phone is not None:
        body["telecom"] = [{"system": "phone", "value": person.phone, "use": "mobile"}]
    return body


def _encounter(history: History, story: DemoStory, begin: datetime, conditions: list[Resource]) -> Resource:
    diagnoses = [
        {"condition": condition, "use": {"coding": [{"code": "CC" if rank == 1 else "CM"}]}, "rank": rank}
        for rank, condition in enumerate(conditions, start=1)
    ]
    return {
        "status": "finished",
        "class": {"system": CATEGORY + "v3-ActCode", "code": "AMB", "display": "Ngoại trú"},
        "type": [{"text": "Khám bệnh ngoại trú"}],
        "subject": history.patient,
        "period": {"start": begin.isoformat(), "end": (begin + timedelta(minutes=100)).isoformat()},
        "reasonCode": [{"text": story.reason}],
        "diagnosis": diagnoses,
        "serviceProvider": {"display": history.facility.name},
    }


def _condition(history: History, code: str, name: str, category: str) -> Resource:
    return {
        "clinicalStatus": _concept("condition-clinical", "active"),
        "verificationStatus": _concept("condition-ver-status", "confirmed"),
        "category": [_concept("condition-category", category)],
        "code": {"coding": [{"system": ICD10, "code": code, "display": name}], "text": name},
        "subject": history.patient,
    }


def _add_diagnosis(history: History, begin: datetime, code: str, name: str) -> Resource:
    body = _condition(history, code, name, "encounter-diagnosis")
    return history.add("Condition", {**body, "recordedDate": begin.isoformat()})


def _add_signs(history: History, story: DemoStory, encounter: Resource, begin: datetime) -> None:
    """Blood pressure as one Observation with two components, weight as another."""
    systolic, diastolic = (round(history.random.gauss(usual, 7)) for usual in story.blood_pressure)
    parts = (("8480-6", "Huyết áp tâm thu", systolic), ("8462-4", "Huyết áp tâm trương", diastolic))
    components = [
        {"code": _loinc(code, text), "valueQuantity": _quantity(value, "mmHg")} for code, text, value in parts
    ]
    pressure = _observation(history, encounter, begin, "vital-signs", _loinc("85354-9", "Huyết áp"))
    history.add("Observation", {**pressure, "component": components})
    weight = _observation(history, encounter, begin, "vital-signs", _loinc("29463-7", "Cân nặng"))
    heavy = 22.0 if history.person.story in {"asthma", "child-cold"} else 60.0
    kilograms = round(history.random.gauss(heavy, 1.2), 1)
    history.add("Observation", {**weight, "valueQuantity": _quantity(kilograms, "kg")})


def _add_tests(history: History, story: DemoStory, encounter: Resource, at: datetime) -> None:
    """Each test with the range of its day, and a report that names them all."""
    results = []
    for key in story.labs:
        lab = LABS[key]
        low, high = lab.range_on(at.date())
        value = _rounded(max(low / 2, history.random.gauss(lab.usual, lab.spread)), lab.decimals)
        flag = "H" if value > high else "L" if value < low else "N"
        body = _observation(history, encounter, at, "laboratory", _loinc(lab.loinc, lab.name))
        body["valueQuantity"] = _quantity(value, lab.unit)
        body["interpretation"] = [_concept("v3-ObservationInterpretation", flag)]
        body["referenceRange"] = [{"low": _quantity(low, lab.unit), "high": _quantity(high, lab.unit)}]
        results.append(history.add("Observation", body))
    history.add("DiagnosticReport", _report(history, encounter, at, "LAB", "Xét nghiệm hóa sinh", results))


def _add_imaging(history: History, imaging: tuple[str, str], encounter: Resource, at: datetime) -> None:
    name, conclusion = imaging
    body = _report(history, encounter, at, "RAD", name, [])
    history.add("DiagnosticReport", {**body, "conclusion": conclusion})


def _add_prescription(
    history: History, encounter: Resource, at: datetime, key: str, story: DemoStory, newest: bool
) -> None:
    drug, days = DRUGS[key], story.days_supply
    dose = {
        "text": drug.dose_text(days),
        "patientInstruction": drug.advice,
        "timing": {"repeat": {"frequency": drug.times, "period": 1, "periodUnit": "d"}},
        "doseAndRate": [{"doseQuantity": {"value": drug.per, "unit": drug.unit}}],
    }
    body = {
        "status": "active" if newest else "completed",
        "intent": "order",
        "medicationCodeableConcept": {
            "coding": [{"code": drug.code}],
            "text": f"{drug.name} {drug.strength}",
        },
        "subject": history.patient,
        "encounter": encounter,
        "authoredOn": at.isoformat(),
        "requester": {"display": f"BS {history.facility.name}"},
        "dosageInstruction": [dose],
        "dispenseRequest": {"quantity": {"value": drug.quantity(days), "unit": drug.unit}},
    }
    history.add("MedicationRequest", body)


def _add_dose(history: History, vaccine: tuple[str, str, str], day: date, dose: int) -> None:
    code, name, maker = vaccine
    body = {
        "status": "completed",
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": code}], "text": name},
        "patient": history.patient,
        "occurrenceDateTime": day.isoformat(),
        "primarySource": True,
        "lotNumber": f"DEMO{history.random.randint(100, 999)}",
        "manufacturer": {"display": maker},
        "performer": [{"actor": {"display": history.facility.name}}],
        "protocolApplied": [{"doseNumberPositiveInt": dose}],
    }
    history.add("Immunization", body)


def _care_plan(
    history: History, story: DemoStory, encounter: Resource, at: datetime, newest: bool
) -> Resource:
    return {
        "status": "active" if newest else "completed",
        "intent": "plan",
        "title": "Kế hoạch điều trị",
        "description": story.plan,
        "subject": history.patient,
        "encounter": encounter,
        "created": at.isoformat(),
        "note": [{"text": story.advice}],
    }


def _observation(
    history: History, encounter: Resource, at: datetime, category: str, code: Resource
) -> Resource:
    return {
        "status": "final",
        "category": [_concept("observation-category", category)],
        "code": code,
        "subject": history.patient,
        "encounter": encounter,
        "effectiveDateTime": at.isoformat(),
    }


def _report(
    history: History, encounter: Resource, at: datetime, service: str, name: str, results: list[Resource]
) -> Resource:
    return {
        "status": "final",
        "category": [_concept("v2-0074", service)],
        "code": {"text": name},
        "subject": history.patient,
        "encounter": encounter,
        "effectiveDateTime": at.isoformat(),
        "issued": at.isoformat(),
        **({"result": results} if results else {}),
    }


def _resource_of(history: History, reference: Resource) -> Resource:
    found = next(entry for entry in reversed(history.entries) if entry["fullUrl"] == reference["reference"])
    resource: Resource = found["resource"]
    return resource


def _concept(system: str, code: str) -> Resource:
    return {"coding": [{"system": CATEGORY + system, "code": code}]}


def _loinc(code: str, text: str) -> Resource:
    return {"coding": [{"system": "http://loinc.org", "code": code}], "text": text}


def _quantity(value: float, unit: str) -> Resource:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


def _rounded(value: float, decimals: int) -> float:
    return round(value, decimals) if decimals else float(round(value))
