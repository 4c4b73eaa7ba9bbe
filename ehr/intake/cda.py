"""HL7 CDA R2 documents: one ClinicalDocument is one unit, replaced by a later version of its set.

A set id is the sender's own: another source with the same one has another document (security.md S3).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any, Final

from lxml import etree

from ehr.intake import systems
from ehr.intake.bundle_person import is_identifier
from ehr.intake.cda_fields import (
    AUTHORITIES,
    FACILITY_AUTHORITY,
    Cda,
    attribute,
    coded,
    is_null,
    moment,
    plain_text,
    times,
)
from ehr.intake.cda_sections import map_body
from ehr.intake.models import BadInputError, BadUnit, IdentifierKind, PersonFacts, Sex, Unit, reject
from ehr.intake.phr831_person import add_patient
from ehr.intake.safe_xml import child, children, parse_document, text_of
from ehr.intake.xml_fields import is_ahead

ROOT: Final = "ClinicalDocument"
_SEXES: Final[dict[str, Sex]] = {"M": "male", "F": "female", "UN": "unknown"}
_VERSION_MAX: Final = 1_000_000
_CLASSES: Final = frozenset({"AMB", "EMER", "IMP", "ACUTE", "NONAC", "SS", "HH", "VR", "FLD", "OBSENC"})


def read_document(stream: IO[bytes], name: str, now: datetime) -> Iterator[Unit | BadUnit]:
    """The one unit of a document, or why it is refused."""
    try:
        yield _read(parse_document(stream, name), now)
    except BadInputError as error:
        yield BadUnit(ROOT, error.reasons)


def _read(root: etree._Element, now: datetime) -> Unit:
    cda = Cda("", now=now)
    key, version = _set_of(cda, root)
    cda.scope = f"cda:{key}"
    cda.date = moment(cda, child(root, "effectiveTime"), "effectiveTime")
    if not cda.date:
        cda.fault("missing-field", "effectiveTime")
    elif is_ahead(cda.date, now):
        cda.fault("future-date", "effectiveTime")
    person = _person(cda, root)
    cda.refuse_faults()
    add_patient("recordTarget", person, cda)
    _map_visit(cda, root)
    kind = coded(cda, child(root, "code"))
    map_body(cda, root, plain_text(child(root, "title")) or kind.get("text", "Tài liệu lâm sàng"), kind)
    unit = cda.unit(ROOT, "cda", person, _custodian(root))
    unit.version = version
    return unit


def _set_of(cda: Cda, root: etree._Element) -> tuple[str, int]:
    """setId and versionNumber; a document without a set is one of its own, by its id."""
    own = _identifier(child(root, "id"))
    if not own:
        cda.fault("missing-field", "id")
    found, number = _identifier(child(root, "setId")), attribute(child(root, "versionNumber"), "value")
    if number and (not number.isascii() or not number.isdigit() or int(number[:9]) > _VERSION_MAX):
        cda.fault("bad-number", "versionNumber@value")
        number = ""
    return (found or own), int(number or 1)


def _identifier(element: etree._Element | None) -> str:
    if is_null(element) or not attribute(element, "root"):
        return ""
    return f"{attribute(element, 'root')}|{attribute(element, 'extension')}"


def _custodian(root: etree._Element) -> str | None:
    """The facility's national code, where the document names it as MACSKCB."""
    place = child(root, "custodian", "assignedCustodian", "representedCustodianOrganization")
    named = (one for one in children(place, "id") if _authority(one) == FACILITY_AUTHORITY)
    return next((attribute(one, "extension") for one in named), None) or None


def _authority(element: etree._Element) -> str:
    return attribute(element, "assigningAuthorityName").upper()


def _person(cda: Cda, root: etree._Element) -> PersonFacts:
    targets = list(children(root, "recordTarget"))
    if len(targets) != 1:
        raise reject("several-patients" if targets else "no-patient", "recordTarget")
    role = child(targets[0], "patientRole")
    patient = child(role, "patient")
    where = "recordTarget/patientRole"
    birth = moment(cda, child(patient, "birthTime"), f"{where}/patient/birthTime")[:10]
    sex = attribute(child(patient, "administrativeGenderCode"), "code")
    name = _name(next(children(patient, "name"), None))
    for value, place in ((birth, "birthTime"), (name, "name")):
        if not value:
            cda.fault("missing-field", f"{where}/patient/{place}")
    if sex and sex not in _SEXES:
        cda.fault("bad-code", f"{where}/patient/administrativeGenderCode")
    phones = (attribute(one, "value") for one in children(role, "telecom"))
    phone = next((one[4:].replace("-", "") for one in phones if one.lower().startswith("tel:")), None)
    return PersonFacts(
        identifiers=tuple(_numbers(cda, role, where)),
        name=name or None,
        birth_date=birth or None,
        sex=_SEXES.get(sex),
        phone=phone,
        address=" ".join(text_of(child(role, "addr")).split()) or None,
    )


def _numbers(cda: Cda, role: etree._Element | None, where: str) -> list[tuple[IdentifierKind, str]]:
    """A number is what its authority is called; one without a name is known at this facility only."""
    found: list[tuple[IdentifierKind, str]] = []
    for position, element in enumerate(children(role, "id"), start=1):
        value = attribute(element, "extension")
        if is_null(element) or not value:
            continue
        kind = AUTHORITIES.get(_authority(element), "facility-patient-id")
        if not is_identifier(kind, value):
            cda.fault("bad-identifier", f"{where}/id[{position}]")
            continue
        short = kind == "insurance-card" and value.isdigit()
        found.append(("insurance-number" if short else kind, value))
    return list(dict.fromkeys(found))


def _name(element: etree._Element | None) -> str:
    """Vietnamese order: family, middle and given names; a name without parts is its text."""
    parts = [text_of(one) for kind in ("family", "given") for one in children(element, kind)]
    return " ".join(part for part in parts if part) or " ".join(text_of(element).split())


def _map_visit(cda: Cda, root: etree._Element) -> None:
    """componentOf/encompassingEncounter: the visit that the document is about."""
    visit = child(root, "componentOf", "encompassingEncounter")
    if visit is None:
        return
    when, kind = times(cda, visit, "encompassingEncounter"), coded(cda, child(visit, "code"))
    codes = {coding.get("code", "") for coding in kind.get("coding", [])}
    number = attribute(child(visit, "id"), "extension")
    doctor = _name(
        child(visit, "responsibleParty", "assignedEntity", "assignedPerson", "name")
        if child(visit, "responsibleParty") is not None
        else child(root, "author", "assignedAuthor", "assignedPerson", "name")
    )
    identifier = [{"system": systems.VISIT_NUMBER, "value": number}] if number else []
    body: dict[str, Any] = {
        "identifier": identifier,
        "status": "finished",
        "class": {"system": systems.ACT_CODE, "code": next(iter(codes & _CLASSES), "AMB")},
        "type": [kind] if kind else [],
        "subject": cda.patient,
        "participant": [{"individual": {"display": doctor}}] if doctor else [],
        "period": when.period or {"start": cda.date},
    }
    reference = cda.name("Encounter", "encompassing")
    cda.encounter = {"reference": reference}
    cda.add(reference, body, "encompassingEncounter")
