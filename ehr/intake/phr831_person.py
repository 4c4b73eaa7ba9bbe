"""Part A of the QĐ 831 form: who the person is, blood group, who stands beside the person."""

from datetime import datetime
from typing import Any, Final

from lxml import etree

from ehr.intake import systems
from ehr.intake.bundle_person import is_identifier
from ehr.intake.drafts import UnitDraft
from ehr.intake.episode import concept
from ehr.intake.models import IdentifierKind, PersonFacts, Sex
from ehr.intake.phr831_fields import blocks, day, flag, row_of
from ehr.intake.xml_fields import Row

_SEXES: Final[dict[str, Sex]] = {"1": "male", "2": "female"}
# Every number of part A with the kinds its text can be, the first that fits counts.
_NUMBERS: Final[dict[str, tuple[IdentifierKind, ...]]] = {
    "MADINHDANH": ("national-id", "insurance-number"),
    "VNEID": ("national-id",),
    "SOCMND": ("national-id", "old-id"),
    "MABHXH": ("insurance-number",),
    "MATHE": ("insurance-card",),
}
_GUARDIAN: Final = ("http://terminology.hl7.org/CodeSystem/v3-RoleCode", "GUARD")


def read_person(row: Row, now: datetime) -> PersonFacts:
    """The facts a person is matched by. The form never tells a newborn from its mother's name."""
    return PersonFacts(
        identifiers=tuple(_identifiers(row)),
        name=row.required("HOTEN") or None,
        birth_date=day(row, "NGAYSINH", required=True, now=now)[:10] or None,
        sex=_SEXES.get(row.coded("GIOITINH", "[12]", required=True)),
        phone=row.first("DIENTHOAI_DD", "DIENTHOAI_CD") or None,
        address=row.first("DIACHI_HIENTAI", "DIACHI_THUONGTRU") or None,
        commune=row.first("MAXA_HIENTAI", "MAXA_THUONGTRU") or None,
    )


def _identifiers(row: Row) -> list[tuple[IdentifierKind, str]]:
    found: list[tuple[IdentifierKind, str]] = []
    for name, kinds in _NUMBERS.items():
        number = row.text(name).replace(" ", "").upper()
        if not number:
            continue
        kind = next((kind for kind in kinds if is_identifier(kind, number)), None)
        if kind is None:
            row.fault("bad-identifier", name)
            continue
        short = kind == "insurance-card" and number.isdigit()
        found.append(("insurance-number" if short else kind, number))
    if member := row.text("MA_NHANKHAU"):
        found.append(("facility-patient-id", member[:100]))
    return list(dict.fromkeys(found))


def own_key(person: PersonFacts) -> str:
    """What the sender's own book of this person is found by again: the first number, else name and birth."""
    if person.identifiers:
        return "|".join(person.identifiers[0])
    return f"{person.name}|{person.birth_date}|{person.sex}"


def map_person(element: etree._Element, row: Row, person: PersonFacts, draft: UnitDraft) -> None:
    """Patient, blood group and relations."""
    add_patient(row.where, person, draft)
    _map_blood(row, draft)
    for index, block in enumerate(blocks(element, "QUANHE_GIADINH"), start=1):
        where = f"{row.where}/QUANHE_GIADINH[{index}]"
        _map_relation(row_of(block, where, draft), draft)


def add_patient(where: str, person: PersonFacts, draft: UnitDraft) -> None:
    """The Patient resource of the facts; the record keeps it without names and numbers."""
    by_kind: dict[str, str] = {kind: system for system, kind in systems.IDENTIFIER_KINDS.items()}
    by_kind["insurance-number"] = by_kind["insurance-card"]
    body: dict[str, Any] = {
        "identifier": [{"system": by_kind[kind], "value": value} for kind, value in person.identifiers],
        "name": [{"text": person.name}] if person.name else [],
        "gender": person.sex,
        "birthDate": person.birth_date,
        "telecom": [{"system": "phone", "value": person.phone}] if person.phone else [],
        "address": [{"text": person.address}] if person.address else [],
    }
    draft.add(draft.name("Patient"), body, where)


def _map_blood(row: Row, draft: UnitDraft) -> None:
    group, rhesus = row.text("NHOMMAU_HEABO"), row.text("NHOMMAU_HERH")
    if not group and not rhesus:
        return
    body = {
        "status": "final",
        "category": [concept("", (systems.OBSERVATION_CATEGORY, "laboratory"))],
        "code": concept("Nhóm máu", (systems.LOINC, "882-1")),
        "subject": draft.patient,
        "valueCodeableConcept": {"text": f"{group} {rhesus}".strip()},
    }
    draft.add(draft.name("Observation", "882-1"), body, f"{row.where}.NHOMMAU_HEABO")


def _map_relation(row: Row, draft: UnitDraft) -> None:
    """A relative without name and number: who they are is not this person's to tell. A claim of
    guardianship is shown as the facility's word; it opens nothing (guardians have tables of their own)."""
    guardian = flag(row, "GIAMHO")
    kind = (systems.FORM_831 + ":relation", row.text("LOAI_QUANHE"))
    relation = concept(row.text("TEN_QUANHE"), kind, *([_GUARDIAN] if guardian else []))
    if relation:
        draft.add(
            draft.numbered("RelatedPerson", row.first("LOAI_QUANHE", "TEN_QUANHE")),
            {"patient": draft.patient, "relationship": [relation]},
            row.where,
        )
