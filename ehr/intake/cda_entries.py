"""Entries of CDA sections as FHIR: each function maps one entry; what it does not know it returns 0 for.

Shapes follow C-CDA 2.1 and the IPS; statuses, ids and times are read by element, not by template id.
"""

from collections.abc import Iterator
from typing import Any, Final

from lxml import etree

from ehr.intake import systems
from ehr.intake.cda_fields import (
    Cda,
    amount,
    attribute,
    coded,
    is_negated,
    is_null,
    moment,
    narrative,
    observed,
    plain_text,
    times,
)
from ehr.intake.episode import concept
from ehr.intake.safe_xml import child, children, local
from ehr.intake.signs import DIASTOLIC, PRESSURE, SYSTOLIC

_ABSENT: Final = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
_SEVERITIES: Final = {"255604002": "mild", "6736007": "moderate", "24484000": "severe"}
_STATES: Final = {"413322009": "resolved", "73425007": "inactive", "55561003": "active"}
_SEVERITY_CODE: Final = "SEV"
_STATUS_CODE: Final = "33999-4"
_SYSTOLIC, _DIASTOLIC, _PANEL = SYSTOLIC.code, DIASTOLIC.code, PRESSURE.code
_MEDICINE_STATES: Final = {"completed": "completed", "aborted": "stopped", "suspended": "on-hold"}
_PROCEDURE_STATES: Final = {"active": "in-progress", "aborted": "stopped", "cancelled": "not-done"}


def named(cda: Cda, rtype: str, element: etree._Element, *identity: str) -> str:
    """A name by the entry's own id, else by what it says and its order."""
    ident = next(children(element, "id"), None)
    root, extension = attribute(ident, "root"), attribute(ident, "extension")
    if root and not is_null(ident):
        return cda.numbered(rtype, "id", root, extension)
    return cda.numbered(rtype, *identity)


def inner(element: etree._Element, *names: str) -> Iterator[etree._Element]:
    """The acts of those names below an entry: itself, or through entryRelationship and component."""
    if local(element) in names:
        yield element
        return
    for link in children(element, "entryRelationship", "component"):
        yield from children(link, *names)


def links(element: etree._Element, code: str) -> Iterator[etree._Element]:
    """Observations below an act whose own code is `code`."""
    for link in children(element, "entryRelationship"):
        for found in children(link, "observation"):
            if attribute(child(found, "code"), "code") == code:
                yield found


def _require(cda: Cda, made: dict[str, Any], where: str) -> dict[str, Any]:
    if not made:
        cda.fault("missing-field", where)
    return made


def _common(cda: Cda) -> dict[str, Any]:
    return {"encounter": cda.encounter} if cda.encounter else {}


def problem(cda: Cda, act: etree._Element, where: str) -> int:
    """Problem concern acts and bare problem observations; what is said to be absent is not written."""
    count = 0
    for found in inner(act, "observation"):
        count += 1
        if is_negated(found):
            continue
        when = times(cda, found, where)
        code = _require(cda, coded(cda, child(found, "value")), f"{where}/value")
        state = next((attribute(child(o, "value"), "code") for o in links(found, _STATUS_CODE)), "")
        status = _STATES.get(state, "resolved" if when.end else "active")
        body = {
            "clinicalStatus": concept("", (systems.CONDITION_CLINICAL, status)),
            "category": [concept("", (systems.CONDITION_CATEGORY, "problem-list-item"))],
            "code": code,
            "subject": cda.patient,
            **_common(cda),
            "onsetDateTime": when.start,
            "abatementDateTime": when.end,
        }
        cda.add(named(cda, "Condition", found, str(code)), body, where)
    return count


def allergy(cda: Cda, act: etree._Element, where: str) -> int:
    """Allergy concern acts; a negated one without a substance says that none is known."""
    count = 0
    for found in inner(act, "observation"):
        count += 1
        substance = child(found, "participant", "participantRole", "playingEntity")
        code = coded(cda, child(substance, "code"))
        name = plain_text(child(substance, "name"))
        code = code or ({"text": name} if name else {})
        if is_negated(found):
            if code:
                continue
            code = concept("Không ghi nhận dị ứng", (_ABSENT, "no-known-allergies"))
        code = code or coded(cda, child(found, "value"))
        when = times(cda, found, where)
        status = "resolved" if when.end else "active"
        body = {
            "clinicalStatus": concept("", (systems.ALLERGY_CLINICAL, status)),
            "code": _require(cda, code, f"{where}/participant"),
            "patient": cda.patient,
            **_common(cda),
            "onsetDateTime": when.start,
            "reaction": _reactions(cda, found),
        }
        cda.add(named(cda, "AllergyIntolerance", found, str(code)), body, where)
    return count


def _reactions(cda: Cda, found: etree._Element) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for link in children(found, "entryRelationship"):
        for one in children(link, "observation"):
            kind = attribute(child(one, "code"), "code")
            shown = coded(cda, child(one, "value"))
            if kind in (_SEVERITY_CODE, _STATUS_CODE) or not shown:
                continue
            severity = next((attribute(child(o, "value"), "code") for o in links(one, _SEVERITY_CODE)), "")
            level = _SEVERITIES.get(severity)
            made.append({"manifestation": [shown]} | ({"severity": level} if level else {}))
    return made


def medicine(cda: Cda, act: etree._Element, where: str) -> int:
    """substanceAdministration: an order (INT, RQO) is a MedicationRequest, anything else a statement."""
    if local(act) != "substanceAdministration":
        return 0
    if is_negated(act):
        return 1
    product = child(act, "consumable", "manufacturedProduct", "manufacturedMaterial")
    name = plain_text(child(product, "name"))
    code = coded(cda, child(product, "code")) or ({"text": name} if name else {})
    _require(cda, code, f"{where}/consumable")
    when, state = times(cda, act, where), attribute(child(act, "statusCode"), "code")
    dosage = _dosage(cda, act, where)
    ordered = attribute(act, "moodCode") in ("INT", "RQO", "PRP")
    common = {"medicationCodeableConcept": code, "subject": cda.patient}
    status = _MEDICINE_STATES.get(state, "active")
    if ordered:
        if when.period and dosage:
            dosage["timing"] = {"repeat": {"boundsPeriod": when.period}}
        authored = moment(cda, child(act, "author", "time"), f"{where}/author/time")
        request = {"status": status, "intent": "order", **common, **_common(cda)}
        dated = {"authoredOn": authored or when.start or cda.date}
        body = {**request, **dated, "dosageInstruction": [dosage] if dosage else []}
        cda.add(named(cda, "MedicationRequest", act, str(code)), body, where)
        return 1
    period = {"effectivePeriod": when.period} if when.period else {}
    context = {"context": cda.encounter} if cda.encounter else {}
    body = {"status": status, **common, **context, **period, "dosage": [dosage] if dosage else []}
    cda.add(named(cda, "MedicationStatement", act, str(code)), body, where)
    return 1


def _dosage(cda: Cda, act: etree._Element, where: str) -> dict[str, Any]:
    """The words of the prescriber as they stand; the dose and route beside them. No time is made up."""
    free = (narrative(cda, child(a, "text")) for a in inner_acts(act))
    text = next((t for t in free if t), "") or narrative(cda, child(act, "text"))
    dose = amount(cda, child(act, "doseQuantity"), f"{where}/doseQuantity")
    made: dict[str, Any] = {
        "text": text,
        "route": coded(cda, child(act, "routeCode")),
        "doseAndRate": [{"doseQuantity": dose}] if dose else [],
    }
    return {key: value for key, value in made.items() if value}


def inner_acts(act: etree._Element) -> Iterator[etree._Element]:
    for link in children(act, "entryRelationship"):
        yield from children(link, "substanceAdministration", "act")


def immunization(cda: Cda, act: etree._Element, where: str) -> int:
    """A dose given, or one that was not (negationInd)."""
    if local(act) != "substanceAdministration":
        return 0
    product = child(act, "consumable", "manufacturedProduct")
    material = child(product, "manufacturedMaterial")
    name = plain_text(child(material, "name"))
    code = coded(cda, child(material, "code")) or ({"text": name} if name else {})
    when = times(cda, act, where)
    if not when.start:
        cda.fault("missing-field", f"{where}/effectiveTime")
    number = attribute(child(act, "repeatNumber"), "value")
    maker = plain_text(child(product, "manufacturerOrganization", "name"))
    body = {
        "status": "not-done" if is_negated(act) else "completed",
        "vaccineCode": _require(cda, code, f"{where}/consumable"),
        "patient": cda.patient,
        **_common(cda),
        "occurrenceDateTime": when.start,
        "lotNumber": plain_text(child(material, "lotNumberText")),
        "manufacturer": {"display": maker} if maker else {},
        "protocolApplied": [{"doseNumberString": number}] if number else [],
        "route": coded(cda, child(act, "routeCode")),
    }
    cda.add(named(cda, "Immunization", act, str(code), when.start), body, where)
    return 1


def result(cda: Cda, act: etree._Element, where: str) -> int:
    return _observations(cda, act, where, "laboratory")


def vital_sign(cda: Cda, act: etree._Element, where: str) -> int:
    """A blood pressure that comes as two observations becomes one with two components."""
    return _observations(cda, act, where, "vital-signs")


def social(cda: Cda, act: etree._Element, where: str) -> int:
    return _observations(cda, act, where, "social-history")


def _observations(cda: Cda, act: etree._Element, where: str, category: str) -> int:
    found = list(inner(act, "observation"))
    named_code = coded(cda, child(act, "code")) if local(act) == "organizer" else {}
    dated = times(cda, act, where) if local(act) == "organizer" else None
    parts: dict[str, dict[str, Any]] = {}
    for number, one in enumerate(found, start=1):
        place = where if one is act else f"{where}/observation[{number}]"
        body = _observation(cda, one, place, category, dated.start if dated else "")
        code = attribute(child(one, "code"), "code")
        if category == "vital-signs" and code in (_SYSTOLIC, _DIASTOLIC) and code not in parts:
            parts[code] = body
            continue
        panel = [{"text": named_code["text"]}] if named_code.get("text") and category == "laboratory" else []
        body["category"] = [*body["category"], *panel]
        cda.add(
            named(cda, "Observation", one, str(body["code"]), str(body["effectiveDateTime"])), body, place
        )
    if parts:
        _add_pressure(cda, where, parts)
    return len(found)


def _observation(cda: Cda, one: etree._Element, where: str, category: str, default: str) -> dict[str, Any]:
    value = observed(cda, child(one, "value"), f"{where}/value")
    when = times(cda, one, where)
    code = coded(cda, child(one, "code"))
    state = attribute(child(one, "statusCode"), "code")
    final = {"active": "preliminary", "aborted": "cancelled", "cancelled": "cancelled"}.get(state, "final")
    notes = [text for text in (narrative(cda, child(one, "text")),) if text and "valueString" not in value]
    marks = [mark for mark in (coded(cda, c) for c in children(one, "interpretationCode")) if mark]
    return {
        "status": final if value or final == "cancelled" else "registered",
        "category": [concept("", (systems.OBSERVATION_CATEGORY, category))],
        "code": _require(cda, code, f"{where}/code"),
        "subject": cda.patient,
        **_common(cda),
        "effectiveDateTime": when.start or default or cda.date,
        **value,
        "interpretation": marks,
        "note": [{"text": text} for text in notes],
        "referenceRange": _ranges(cda, one, where),
    }


def _ranges(cda: Cda, one: etree._Element, where: str) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for holder in children(one, "referenceRange"):
        place, found = f"{where}/referenceRange", child(holder, "observationRange")
        low = amount(cda, child(found, "value", "low"), f"{place}/low")
        high = amount(cda, child(found, "value", "high"), f"{place}/high")
        text = narrative(cda, child(found, "text"))
        told = {"low": low, "high": high, "text": text}
        made.append({key: value for key, value in told.items() if value})
    return [one for one in made if one]


def _add_pressure(cda: Cda, where: str, parts: dict[str, dict[str, Any]]) -> None:
    first = next(iter(parts.values()))
    components = [
        {"code": part["code"], "valueQuantity": part["valueQuantity"]}
        for part in parts.values()
        if "valueQuantity" in part
    ]
    kept = {key: first[key] for key in ("status", "category", "subject", "effectiveDateTime")}
    panel = {"code": concept("Huyết áp", (systems.LOINC, _PANEL)), "component": components}
    reference = cda.numbered("Observation", _PANEL, str(first["effectiveDateTime"]))
    cda.add(reference, {**kept, **_common(cda), **panel}, where)


def procedure(cda: Cda, act: etree._Element, where: str) -> int:
    if local(act) not in ("procedure", "act", "observation"):
        return 0
    if is_negated(act):
        return 1
    when, code = times(cda, act, where), coded(cda, child(act, "code"))
    state = attribute(child(act, "statusCode"), "code")
    performed = {"performedDateTime": when.start} if when.moment else {"performedPeriod": when.period}
    body = {
        "status": _PROCEDURE_STATES.get(state, "completed"),
        "code": _require(cda, code, f"{where}/code"),
        "subject": cda.patient,
        **_common(cda),
        **performed,
    }
    cda.add(named(cda, "Procedure", act, str(code), when.start), body, where)
    return 1


def encounter(cda: Cda, act: etree._Element, where: str) -> int:
    """A visit listed in the section; the document's own visit is the header's."""
    if local(act) != "encounter":
        return 0
    when, kind = times(cda, act, where), coded(cda, child(act, "code"))
    reference = named(cda, "Encounter", act, str(kind), when.start)
    diagnoses = []
    for link in children(act, "entryRelationship"):
        for holder in children(link, "act"):
            diagnoses += _diagnoses(cda, holder, where, reference)
    body = {
        "status": "finished",
        "class": {"system": systems.ACT_CODE, "code": "AMB"},
        "type": [kind] if kind else [],
        "subject": cda.patient,
        "period": when.period,
        "diagnosis": diagnoses,
    }
    cda.add(reference, body, where)
    return 1


def _diagnoses(cda: Cda, holder: etree._Element, where: str, visit: str) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for found in inner(holder, "observation"):
        code = coded(cda, child(found, "value"))
        if not code or is_negated(found):
            continue
        reference = named(cda, "Condition", found, str(code))
        body = {
            "clinicalStatus": concept("", (systems.CONDITION_CLINICAL, "active")),
            "category": [concept("", (systems.CONDITION_CATEGORY, "encounter-diagnosis"))],
            "code": code,
            "subject": cda.patient,
            "encounter": {"reference": visit},
            "recordedDate": times(cda, found, where).start,
        }
        cda.add(reference, body, where)
        made.append({"condition": {"reference": reference}})
    return made


def relative(cda: Cda, act: etree._Element, where: str) -> int:
    """A family history organizer: the relation and its diseases, without who the relative is."""
    if local(act) != "organizer":
        return 0
    relation = coded(cda, child(act, "subject", "relatedSubject", "code"))
    conditions = [
        {"code": code}
        for found in inner(act, "observation")
        if not is_negated(found) and (code := coded(cda, child(found, "value")))
    ]
    if not conditions:
        return 0
    body = {
        "status": "completed",
        "patient": cda.patient,
        "relationship": relation or concept("Người trong gia đình"),
        "condition": conditions,
    }
    cda.add(named(cda, "FamilyMemberHistory", act, str(relation)), body, where)
    return 1
