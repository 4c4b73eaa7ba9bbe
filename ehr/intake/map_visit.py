"""XML1: the visit, its diagnoses, measures and advice. XML0: the visit while it has only begun."""

from typing import Any, Final

from ehr.costs.models import Costs
from ehr.costs.policy import costs_of
from ehr.intake import systems
from ehr.intake.episode import Episode, concept, identified, quantity
from ehr.intake.map_person import map_coverage, map_patient
from ehr.intake.models import PersonFacts
from ehr.intake.signs import SIGNS
from ehr.intake.xml_fields import SLACK, Row, is_ahead, is_later
from ehr.intake.xml_tables import OLD_FILE

# Forms of care whose patient stays in (vietnam.md §6), and those whose NGAY_RA is the last day of
# the dispensed medicines and may lie in the future (§4).
_INPATIENT: Final = frozenset({"03", "04", "09"})
_DRUG_DAYS: Final = frozenset({"02", "05", "07"})
RESULTS: Final = {
    "1": "Khỏi",
    "2": "Đỡ",
    "3": "Không thay đổi",
    "4": "Nặng hơn",
    "5": "Tử vong",
    "6": "Tiên lượng nặng, xin về",
    "7": "Chưa xác định",
    "8": "Tử vong ngoại viện",
}
DISCHARGES: Final = {
    "1": "Ra viện",
    "2": "Chuyển cơ sở khám bệnh, chữa bệnh theo yêu cầu chuyên môn",
    "3": "Trốn viện",
    "4": "Xin ra viện",
    "5": "Chuyển cơ sở khám bệnh, chữa bệnh theo yêu cầu người bệnh",
}
# The list of ICD-10 that was in force at discharge; old codes are never rewritten (vietnam.md §4).
_ICD_SINCE: Final = (("2026-07-01", "TT 06/2026/TT-BYT"), ("2020-11-01", "QĐ 4469/QĐ-BYT"))
_ICD_MARKS: Final = "†*+"


def read_stay(row: Row, episode: Episode) -> None:
    """The form of care and the dates of the stay, checked against each other and the present."""
    kind = read_kind(row)
    episode.inpatient = kind in _INPATIENT
    episode.start = row.moment("NGAY_VAO", required=True)
    episode.end = row.moment("NGAY_RA", required=True)
    if episode.start and is_ahead(episode.start, episode.now):
        row.fault("future-date", "NGAY_VAO")
    if episode.end and kind not in _DRUG_DAYS and is_ahead(episode.end, episode.now):
        row.fault("future-date", "NGAY_RA")
    if episode.start and episode.end and is_later(episode.start, episode.end, SLACK):
        row.fault("bad-date", "NGAY_RA")


def read_arrival(row: Row, episode: Episode) -> None:
    """What XML0 knows of a stay: no end yet."""
    episode.inpatient = read_kind(row) in _INPATIENT
    episode.start = row.moment("NGAY_VAO", required=True)
    if episode.start and is_ahead(episode.start, episode.now):
        row.fault("future-date", "NGAY_VAO")


def read_kind(row: Row) -> str:
    """MA_LOAI_KCB in two digits; QĐ 4210 wrote one."""
    if OLD_FILE in row.fields and len(row.text("MA_LOAI_KCB")) == 1:
        row.fields["MA_LOAI_KCB"] = "0" + row.fields["MA_LOAI_KCB"]
    return row.coded("MA_LOAI_KCB", "[0-9]{2}", required=True)


def map_visit(row: Row, person: PersonFacts, episode: Episode) -> None:
    """Patient, Coverage, Encounter, Conditions, Observations of weight and blood group, advice."""
    map_patient(row, person, episode)
    map_coverage(row, person, episode)
    diagnoses, rest = _map_conditions(row, episode)
    _map_encounter(row, episode, diagnoses, rest)
    _map_operations(row, episode)
    _map_measures(row, episode)
    _map_advice(row, episode)


def map_arrival(row: Row, person: PersonFacts, episode: Episode) -> None:
    """Patient, Coverage and the Encounter that has begun; the same ids as XML1's, which takes their place."""
    map_patient(row, person, episode)
    map_coverage(row, person, episode)
    body = _visit(row, episode) | {"status": "in-progress" if row.text("NGAY_VAO_NOI_TRU") else "arrived"}
    episode.add(episode.name("Encounter"), body, row)


def _map_conditions(row: Row, episode: Episode) -> tuple[list[dict[str, Any]], list[str]]:
    """The diagnoses of the Encounter, and texts that belong to no code."""
    codes = [code for code in (row.required("MA_BENH_CHINH"), *row.parts("MA_BENH_KT")) if code]
    texts = row.parts("CHAN_DOAN_RV")
    # A text is put beside a code only where both lists have the same length; the first is the main one.
    paired = texts if len(texts) == len(codes) else [*(texts[:1] or [""]), *[""] * (len(codes) - 1)]
    diagnoses: list[dict[str, Any]] = []
    for index, code in enumerate(codes):
        role = "CC" if index == 0 else "CM"
        body = disease(code, episode.end) | concept(paired[index])
        reference = _add_condition(row, episode, body, code)
        use = concept("", (systems.DIAGNOSIS_ROLE, role))
        diagnoses.append({"condition": {"reference": reference}, "use": use, "rank": index + 1})
    for code in row.parts("MA_BENH_YHCT"):
        _add_condition(row, episode, concept("", (systems.TRADITIONAL_DISEASE, code)), code)
    return diagnoses, texts[1:] if len(texts) != len(codes) else []


def icd_version(end: str) -> str:
    """The list of ICD-10 that was in force on the day of a discharge."""
    return next((name for since, name in _ICD_SINCE if end[:10] >= since), "")


def disease(code: str, end: str) -> dict[str, Any]:
    """An ICD-10 code as CodeableConcept: † and * stand beside the code, its list follows the discharge."""
    plain = code.rstrip(_ICD_MARKS)
    coding: dict[str, Any] = {"system": systems.ICD10, "code": plain or code}
    if version := icd_version(end):
        coding["version"] = version
    if plain and plain != code:
        coding["extension"] = [{"url": systems.ICD_MARK, "valueString": code[len(plain) :]}]
    return {"coding": [coding]}


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
    body = _visit(row, episode)
    body["reasonCode"] += [{"text": text} for text in rest]
    body["diagnosis"] = diagnoses
    body["hospitalization"] = _hospitalization(row)
    body["length"] = _length(row)
    episode.add(episode.name("Encounter"), body, row, whole_row=False, costs=_costs(row, episode))


def _costs(row: Row, episode: Episode) -> Costs:
    """The sums of XML1, and the benefit levels of the lines that came with it."""
    lines = [*episode.tables.of("XML2"), *episode.tables.of("XML3")]
    return costs_of(
        total=row.first("T_TONGCHI_BV", "T_TONGCHI"),
        in_scope=row.text("T_TONGCHI_BH"),
        fund=row.text("T_BHTT"),
        copaid=row.text("T_BNCCT"),
        self_paid=row.text("T_BNTT"),
        other=row.text("T_NGUONKHAC"),
        benefits=[line.text("MUC_HUONG") for line in lines],
    )


def _visit(row: Row, episode: Episode) -> dict[str, Any]:
    """What XML0 and XML1 say alike of a visit."""
    records = ((systems.VISIT_NUMBER, episode.ma_lk), (systems.MEDICAL_RECORD_NUMBER, row.text("MA_HSBA")))
    period = {"start": episode.start, "end": episode.end}
    letter = identified(systems.REFERRAL_LETTER, row.text("GIAY_CHUYEN_TUYEN"))
    return {
        "identifier": [{"system": system, "value": value} for system, value in records if value],
        "status": "finished",
        "class": {"system": systems.ACT_CODE, "code": "IMP" if episode.inpatient else "AMB"},
        "classHistory": _admission(row),
        "type": [concept("", (systems.CARE_KIND, row.text("MA_LOAI_KCB")))],
        "serviceType": concept("", (systems.DEPARTMENT, row.text("MA_KHOA"))),
        "subject": episode.patient,
        "basedOn": [letter] if letter else [],
        "period": {key: value for key, value in period.items() if value},
        "reasonCode": _reasons(row),
        "serviceProvider": identified(systems.FACILITY, episode.facility_code),
    }


def _reasons(row: Row) -> list[dict[str, Any]]:
    """Why somebody came, was admitted, with what diagnosis, after what injury."""
    injury = row.text("MA_TAI_NAN")
    said = (
        concept(row.text("LY_DO_VV")),
        concept(row.text("LY_DO_VNT"), (systems.INPATIENT_REASON, row.text("MA_LY_DO_VNT"))),
        _admission_diagnosis(row.text("CHAN_DOAN_VAO")),
        concept("Tai nạn, thương tích", (systems.INJURY, injury)) if injury.strip("0") else {},
    )
    return [reason for reason in said if reason]


def _admission_diagnosis(text: str) -> dict[str, Any]:
    return concept(text, (systems.DIAGNOSIS_ROLE, "AD")) if text else {}


def _admission(row: Row) -> list[dict[str, Any]]:
    since = row.moment("NGAY_VAO_NOI_TRU")
    admitted = {"class": {"system": systems.ACT_CODE, "code": "IMP"}, "period": {"start": since}}
    return [admitted] if since else []


def _length(row: Row) -> dict[str, Any]:
    days = row.decimal("SO_NGAY_DTRI")
    return quantity(days, "ngày", (systems.UCUM, "d")) if days else {}


def _hospitalization(row: Row) -> dict[str, Any]:
    result, discharge = row.coded("KET_QUA_DTRI", "[1-8]"), row.coded("MA_LOAI_RV", "[1-5]")
    outcome = "; ".join(t for t in (DISCHARGES.get(discharge, ""), RESULTS.get(result, "")) if t)
    made = {
        "origin": identified(systems.FACILITY, row.text("MA_NOI_DI")),
        "destination": identified(systems.FACILITY, row.text("MA_NOI_DEN")),
        "dischargeDisposition": concept(
            outcome, (systems.DISCHARGE_KIND, discharge), (systems.TREATMENT_RESULT, result)
        ),
    }
    return {key: value for key, value in made.items() if value}


def _map_operations(row: Row, episode: Episode) -> None:
    """International procedure codes of the stay that no row of XML3 names."""
    named = {code for line in episode.tables.of("XML3") for code in line.parts("MA_PTTT_QT")}
    for code in row.parts("MA_PTTT_QT"):
        if code in named:
            continue
        episode.add(
            episode.numbered("Procedure", "XML1", code),
            {
                "status": "completed",
                "code": concept("", (systems.ICD9_PROCEDURE, code)),
                "subject": episode.patient,
                "encounter": episode.encounter,
                "performedPeriod": {"start": episode.start, "end": episode.end},
            },
            row,
            whole_row=False,
        )


def _map_measures(row: Row, episode: Episode) -> None:
    if weight := row.decimal("CAN_NANG"):
        sign = SIGNS["weight"]
        value = sign.amount(weight)
        _add_measure(row, episode, (systems.LOINC, sign.code), sign.title, "vital-signs", value)
    if group := row.text("NHOM_MAU"):
        blood = {"valueCodeableConcept": {"text": group}}
        _add_measure(row, episode, (systems.LOINC, "882-1"), "Nhóm máu", "laboratory", blood)
    for number, part in enumerate(row.parts("CAN_NANG_CON"), start=1):
        grams = Row(row.table, row.where, {"CAN_NANG_CON": part}, row.reasons).decimal("CAN_NANG_CON")
        if grams:
            value = {"valueQuantity": quantity(grams, "g", (systems.UCUM, "g"))}
            code = (systems.BIRTH_WEIGHT_OF_CHILD, "birth-weight-of-child")
            _add_measure(row, episode, code, "Cân nặng con mới sinh", "exam", value, str(number))


def _add_measure(
    row: Row,
    episode: Episode,
    code: tuple[str, str],
    text: str,
    category: str,
    value: dict[str, Any],
    *which: str,
) -> None:
    episode.add(
        episode.name("Observation", "XML1", code[1], *which),
        {
            "status": "final",
            "category": [concept("", (systems.OBSERVATION_CATEGORY, category))],
            "code": concept(text, code),
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
