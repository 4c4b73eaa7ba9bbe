"""XML1: the person, the visit, its diagnoses, measures and advice."""

from datetime import timedelta
from typing import Any, Final

from ehr.intake import systems
from ehr.intake.bundle_person import is_identifier
from ehr.intake.episode import Episode, concept, quantity
from ehr.intake.models import IdentifierKind, PersonFacts, Sex
from ehr.intake.xml_fields import Row, is_later, read_birth

_SEXES: Final[dict[str, Sex]] = {"1": "male", "2": "female", "3": "unknown"}
# Forms of care whose patient stays in (vietnam.md §6), and those whose NGAY_RA is the last day of
# the dispensed medicines and may lie in the future (§4).
_INPATIENT: Final = frozenset({"03", "04", "09"})
_DRUG_DAYS: Final = frozenset({"02", "05", "07"})
_DIED: Final = frozenset({"5", "8"})
_RESULTS: Final = {
    "1": "Khỏi",
    "2": "Đỡ",
    "3": "Không thay đổi",
    "4": "Nặng hơn",
    "5": "Tử vong",
    "6": "Tiên lượng nặng, xin về",
    "7": "Chưa xác định",
    "8": "Tử vong ngoại viện",
}
_DISCHARGES: Final = {
    "1": "Ra viện",
    "2": "Chuyển cơ sở khám bệnh, chữa bệnh theo yêu cầu chuyên môn",
    "3": "Trốn viện",
    "4": "Xin ra viện",
    "5": "Chuyển cơ sở khám bệnh, chữa bệnh theo yêu cầu người bệnh",
}
_NEWBORN_DAYS: Final = 28
_SLACK: Final = timedelta(days=1)


def read_person(row: Row, episode: Episode) -> PersonFacts:
    """Who the episode is about. A newborn of at most 28 days carries a real time of birth."""
    birth = read_birth(row.required("NGAY_SINH")) if row.text("NGAY_SINH") else None
    if row.text("NGAY_SINH") and birth is None:
        row.fault("bad-date", "NGAY_SINH")
    elif not row.text("NGAY_SINH"):
        row.fault("missing-field", "NGAY_SINH")
    born, timed = birth or ("", False)
    if len(born) == 10 and is_later(born, episode.now.date().isoformat(), _SLACK):
        row.fault("future-date", "NGAY_SINH")
    admitted = episode.start[:10]
    newborn = timed and bool(admitted) and not is_later(admitted, born, timedelta(days=_NEWBORN_DAYS))
    return PersonFacts(
        identifiers=tuple(_identifiers(row)),
        name=row.required("HO_TEN") or None,
        birth_date=born or None,
        sex=_SEXES.get(row.coded("GIOI_TINH", "[123]", required=True)),
        phone=row.text("DIEN_THOAI") or None,
        address=row.text("DIA_CHI") or None,
        newborn=newborn,
        mother_number=_mother(episode) if newborn else None,
        death_reported=row.text("KET_QUA_DTRI") in _DIED,
    )


def _identifiers(row: Row) -> list[tuple[IdentifierKind, str]]:
    """SO_CCCD may hold a CCCD, an old CMND or a passport; cards may be several (vietnam.md §4)."""
    found: list[tuple[IdentifierKind, str]] = []
    number = row.text("SO_CCCD").replace(" ", "")
    if number:
        kinds: tuple[IdentifierKind, ...] = ("national-id", "old-id", "passport")
        kind = next((k for k in kinds if is_identifier(k, number)), None)
        if kind is None or (kind == "passport" and number.isdigit()):
            row.fault("bad-identifier", "SO_CCCD")
        else:
            found.append((kind, number))
    for card in row.parts("MA_THE_BHYT"):
        if is_identifier("insurance-card", card):
            found.append(("insurance-number" if card.isdigit() else "insurance-card", card.upper()))
        else:
            row.fault("bad-identifier", "MA_THE_BHYT")
    if row.text("MA_BN"):
        found.append(("facility-patient-id", row.text("MA_BN")))
    return found


def _mother(episode: Episode) -> str | None:
    numbers = (row.text("MA_ME") for row in episode.tables.of("XML7"))
    return next((number for number in numbers if is_identifier("national-id", number)), None)


def read_stay(row: Row, episode: Episode) -> None:
    """The form of care and the dates of the stay, checked against each other and the present."""
    kind = row.coded("MA_LOAI_KCB", "[0-9]{2}", required=True)
    episode.inpatient = kind in _INPATIENT
    episode.start = row.moment("NGAY_VAO", required=True)
    episode.end = row.moment("NGAY_RA", required=True)
    now = episode.now.isoformat()
    if episode.start and is_later(episode.start, now, _SLACK):
        row.fault("future-date", "NGAY_VAO")
    if episode.end and kind not in _DRUG_DAYS and is_later(episode.end, now, _SLACK):
        row.fault("future-date", "NGAY_RA")
    if episode.start and episode.end and is_later(episode.start, episode.end, _SLACK):
        row.fault("bad-date", "NGAY_RA")


def map_visit(row: Row, person: PersonFacts, episode: Episode) -> None:
    """Patient, Encounter, Conditions, Observations of weight and blood group, advice."""
    _map_patient(row, person, episode)
    diagnoses, rest = _map_conditions(row, episode)
    _map_encounter(row, episode, diagnoses, rest)
    _map_measures(row, episode)
    _map_advice(row, episode)


def _map_patient(row: Row, person: PersonFacts, episode: Episode) -> None:
    by_kind = {kind: system for system, kind in systems.IDENTIFIER_KINDS.items()}
    identifiers = [
        {"system": by_kind[kind], "value": value} for kind, value in person.identifiers if kind in by_kind
    ]
    episode.add(
        episode.name("Patient"),
        {
            "identifier": identifiers,
            "name": [{"text": person.name}],
            "gender": person.sex,
            "birthDate": person.birth_date,
            "telecom": [{"system": "phone", "value": person.phone}] if person.phone else [],
            "address": [{"text": person.address}] if person.address else [],
        },
        row,
        whole_row=False,
    )


def _map_conditions(row: Row, episode: Episode) -> tuple[list[dict[str, Any]], list[str]]:
    """The diagnoses of the Encounter, and texts that belong to no code."""
    codes = [code for code in (row.required("MA_BENH_CHINH"), *row.parts("MA_BENH_KT")) if code]
    texts = row.parts("CHAN_DOAN_RV")
    # A text is put beside a code only where both lists have the same length; the first is the main one.
    paired = texts if len(texts) == len(codes) else texts[:1] + [""] * (len(codes) - 1)
    diagnoses: list[dict[str, Any]] = []
    for index, code in enumerate(codes):
        role = "CC" if index == 0 else "CM"
        reference = _add_condition(
            row, episode, concept(paired[index] if paired else "", (systems.ICD10, code)), code
        )
        use = concept("", (systems.DIAGNOSIS_ROLE, role))
        diagnoses.append({"condition": {"reference": reference}, "use": use, "rank": index + 1})
    for code in row.parts("MA_BENH_YHCT"):
        _add_condition(row, episode, concept("", (systems.TRADITIONAL_DISEASE, code)), code)
    return diagnoses, texts[1:] if len(texts) != len(codes) else []


def _add_condition(row: Row, episode: Episode, code: dict[str, Any], identity: str) -> str:
    reference = episode.numbered("Condition", identity)
    cured = row.text("KET_QUA_DTRI") == "1"
    episode.add(
        reference,
        {
            "clinicalStatus": concept("", (systems.CONDITION_CLINICAL, "resolved" if cured else "active")),
            "category": [concept("", (systems.CONDITION_CATEGORY, "encounter-diagnosis"))],
            "code": code,
            "subject": episode.patient,
            "encounter": episode.encounter,
            "recordedDate": episode.start,
        },
        row,
        whole_row=False,
    )
    return reference


def _map_encounter(row: Row, episode: Episode, diagnoses: list[dict[str, Any]], rest: list[str]) -> None:
    result, discharge = row.coded("KET_QUA_DTRI", "[1-8]"), row.coded("MA_LOAI_RV", "[1-5]")
    outcome = "; ".join(t for t in (_DISCHARGES.get(discharge, ""), _RESULTS.get(result, "")) if t)
    disposition = concept(outcome, (systems.DISCHARGE_KIND, discharge), (systems.TREATMENT_RESULT, result))
    record = row.text("MA_HSBA")
    episode.add(
        episode.name("Encounter"),
        {
            "identifier": [{"system": systems.VISIT_NUMBER, "value": episode.ma_lk}]
            + ([{"system": systems.MEDICAL_RECORD_NUMBER, "value": record}] if record else []),
            "status": "finished",
            "class": {"system": systems.ACT_CODE, "code": "IMP" if episode.inpatient else "AMB"},
            "type": [concept("", (systems.CARE_KIND, row.text("MA_LOAI_KCB")))],
            "serviceType": concept("", (systems.DEPARTMENT, row.text("MA_KHOA"))),
            "subject": episode.patient,
            "period": {"start": episode.start, "end": episode.end},
            "reasonCode": [{"text": text} for text in (row.text("LY_DO_VV"), *rest) if text],
            "diagnosis": diagnoses,
            "hospitalization": {"dischargeDisposition": disposition} if disposition else {},
            "serviceProvider": {"identifier": {"system": systems.FACILITY, "value": episode.facility_code}},
        },
        row,
        whole_row=False,
    )


def _map_measures(row: Row, episode: Episode) -> None:
    if weight := row.decimal("CAN_NANG"):
        value = {"valueQuantity": quantity(weight, "kg", (systems.UCUM, "kg"))}
        _add_measure(row, episode, "29463-7", "Cân nặng", "vital-signs", value)
    if group := row.text("NHOM_MAU"):
        _add_measure(
            row, episode, "882-1", "Nhóm máu", "laboratory", {"valueCodeableConcept": {"text": group}}
        )


def _add_measure(
    row: Row, episode: Episode, code: str, text: str, category: str, value: dict[str, Any]
) -> None:
    episode.add(
        episode.name("Observation", "XML1", code),
        {
            "status": "final",
            "category": [concept("", (systems.OBSERVATION_CATEGORY, category))],
            "code": concept(text, (systems.LOINC, code)),
            "subject": episode.patient,
            "encounter": episode.encounter,
            "effectiveDateTime": episode.start,
            **value,
        },
        row,
        whole_row=False,
    )


def _map_advice(row: Row, episode: Episode) -> None:
    treatment, advice = row.text("PP_DIEU_TRI"), row.text("GHI_CHU")
    if not treatment and not advice:
        return
    details = [{"detail": {"status": "completed", "description": text}} for text in (treatment,) if text]
    episode.add(
        episode.name("CarePlan"),
        {
            "status": "completed" if not advice else "active",
            "intent": "plan",
            "title": "Hướng điều trị và lời dặn",
            "description": advice,
            "subject": episode.patient,
            "encounter": episode.encounter,
            "created": episode.end or episode.start,
            "activity": details,
        },
        row,
        whole_row=False,
    )
