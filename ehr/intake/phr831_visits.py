"""Part D of the QĐ 831 form: one visit with its signs, findings, services and conclusion."""

from datetime import datetime
from typing import Any, Final

from lxml import etree

from ehr.intake import systems
from ehr.intake.drafts import UnitDraft
from ehr.intake.episode import concept, value_of
from ehr.intake.phr831_fields import blocks, day, row_of
from ehr.intake.signs import PRESSURE, SIGNS, SignName, pressure
from ehr.intake.xml_fields import Row

_SIGNS: Final[dict[str, SignName]] = {
    "MACH": "pulse",
    "NHIETDO": "temperature",
    "NHIPTHO": "respiration",
    "CHIEUCAO": "height",
    "CANNANG": "weight",
    "CHISOBMI": "body-mass-index",
    "VONGBUNG": "waist",
}
_FINDINGS: Final = {
    "SUDUNGKINH": "Thị lực: sử dụng kính",
    "MATPHAI": "Thị lực mắt phải",
    "MATTRAI": "Thị lực mắt trái",
    "KHAMDA": "Da",
    "KHAMNIEMMAC": "Niêm mạc",
    "KHAMTOANTHANKHAC": "Toàn thân: khác",
    "KHAMTIMMACH": "Tim mạch",
    "KHAMHOHAP": "Hô hấp",
    "KHAMTIEUHOA": "Tiêu hóa",
    "KHAMTIETNIEU": "Tiết niệu",
    "KHAMCOXUONGKHOP": "Cơ xương khớp",
    "KHAMNOITIET": "Nội tiết",
    "KHAMTHANKINH": "Thần kinh",
    "KHAMTAMTHAN": "Tâm thần",
    "KHAMNGOAIKHOA": "Ngoại khoa",
    "KHAMPHUKHOA": "Phụ khoa",
    "KHAMTAIMUIHONG": "Tai mũi họng",
    "KHAMRHM": "Răng hàm mặt",
    "KHAMMAT": "Mắt",
    "KHAMDALIEU": "Da liễu",
    "KHAMDINHDUONG": "Dinh dưỡng",
    "KHAMVANDONG": "Vận động",
    "KHAC": "Khám: khác",
    "TC_TT_VD": "Phát triển thể chất, tinh thần, vận động",
}


class Visit(UnitDraft):
    """One visit while it is mapped. date: of the visit, as FHIR."""

    date: str = ""

    @property
    def encounter(self) -> dict[str, str]:
        return {"reference": self.name("Encounter")}


def map_visit(element: etree._Element, row: Row, visit: Visit, now: datetime) -> None:
    """All of one HOSOKHAMCHUABENH but its person."""
    visit.date = day(row, "NGAYKHAM", now=now) or day(row, "NGAYBATDAU", required=True, now=now)
    _map_encounter(row, visit, now, _map_diagnoses(element, row.where, visit))
    for name, kind in _SIGNS.items():
        if value := row.decimal(name):
            sign = SIGNS[kind]
            _observe(visit, row, name, sign.concept, "vital-signs", sign.amount(value))
    if parts := pressure(row.decimal("HUYETAPTT"), row.decimal("HUYETAPTD")):
        _observe(visit, row, "HUYETAPTT", PRESSURE.concept, "vital-signs", parts)
    for name, title in _FINDINGS.items():
        if text := row.text(name):
            code_of = concept(title, (systems.FORM_831, name))
            _observe(visit, row, name, code_of, "exam", {"valueString": text})
    _map_services(element, row.where, visit)
    _map_texts(row, visit)


def _map_encounter(row: Row, visit: Visit, now: datetime, diagnoses: list[dict[str, Any]]) -> None:
    start, end = day(row, "NGAYBATDAU", now=now) or visit.date, day(row, "NGAYKETTHUC")
    period = {key: value for key, value in (("start", start), ("end", end)) if value}
    reason = row.text("LYDOKHAM")
    doctor = _doctor(row)
    body = {
        "identifier": [{"system": systems.VISIT_NUMBER, "value": row.text("MA_LK")}],
        "status": "finished",
        "class": {"system": systems.ACT_CODE, "code": "AMB"},
        "subject": visit.patient,
        "participant": [{"individual": doctor}] if doctor else [],
        "period": period,
        "reasonCode": [{"text": reason}] if reason else [],
        "diagnosis": diagnoses,
    }
    visit.add(visit.name("Encounter"), body, row.where)


def _doctor(row: Row) -> dict[str, Any]:
    code, name = row.text("MABACSI"), row.text("BACSIKHAM")
    identifier = {"identifier": {"system": systems.PROVIDER_CODE, "value": code}} if code else {}
    return {**identifier, **({"display": name} if name else {})}


def _map_diagnoses(element: etree._Element, where: str, visit: Visit) -> list[dict[str, Any]]:
    diagnoses: list[dict[str, Any]] = []
    for number, block in enumerate(blocks(element, "CHANDOANKETLUAN", "CHANDOANBENH"), start=1):
        row = row_of(block, f"{where}/CHANDOANKETLUAN/CHANDOANBENH[{number}]", visit)
        code, name, verdict = row.text("MABENH"), row.text("TENBENH"), row.text("KETLUAN")
        if not (code or name or verdict):
            continue
        reference = visit.numbered("Condition", code or name or verdict)
        body = {
            "clinicalStatus": concept("", (systems.CONDITION_CLINICAL, "active")),
            "category": [concept("", (systems.CONDITION_CATEGORY, "encounter-diagnosis"))],
            "code": concept(name or verdict, (systems.ICD10, code)),
            "subject": visit.patient,
            "encounter": visit.encounter,
            "recordedDate": visit.date,
            "note": [{"text": verdict}] if verdict and name else [],
        }
        visit.add(reference, body, row.where)
        use = concept("", (systems.DIAGNOSIS_ROLE, "CM" if diagnoses else "CC"))
        diagnoses.append({"condition": {"reference": reference}, "use": use, "rank": number})
    return diagnoses


def _map_services(element: etree._Element, where: str, visit: Visit) -> None:
    for number, block in enumerate(blocks(element, "CANLAMSANG", "DICHVU"), start=1):
        row = row_of(block, f"{where}/CANLAMSANG/DICHVU[{number}]", visit)
        code = concept(row.required("TENDICHVU"), (systems.SERVICE, row.text("MADICHVU")))
        kind, result = row.coded("MANHOM", "[12]", required=True), row.text("KETQUA")
        if kind == "2":
            _add_report(visit, row, code, result)
        elif kind:
            value = value_of(result)  # the form has no unit
            status = {"status": "final" if value else "registered"}
            _observe(visit, row, "KETQUA", code, "laboratory", {**status, **value})


def _add_report(visit: Visit, row: Row, code: dict[str, Any], result: str) -> None:
    body = {
        "status": "final" if result else "registered",
        "category": [concept("", (systems.REPORT_CATEGORY, "RAD"))],
        "code": code,
        "subject": visit.patient,
        "encounter": visit.encounter,
        "effectiveDateTime": visit.date,
        "conclusion": result,
    }
    reference = visit.numbered("DiagnosticReport", row.first("MADICHVU", "TENDICHVU"))
    visit.add(reference, body, row.where)


def _map_texts(row: Row, visit: Visit) -> None:
    if history := row.text("BENHSU"):
        body = {"status": "completed", "summary": history, "date": visit.date}
        _add_note(visit, "ClinicalImpression", row, body)
    if advice := row.text("TUVAN"):
        body = {
            "status": "active",
            "intent": "plan",
            "title": "Tư vấn",
            "description": advice,
            "created": visit.date,
        }
        _add_note(visit, "CarePlan", row, body)


def _add_note(visit: Visit, rtype: str, row: Row, body: dict[str, Any]) -> None:
    visit.add(visit.name(rtype), {**body, "subject": visit.patient, "encounter": visit.encounter}, row.where)


def _observe(
    visit: Visit, row: Row, name: str, code: dict[str, Any], category: str, value: dict[str, Any]
) -> None:
    service = row.first("MADICHVU", "TENDICHVU")
    body = {
        "status": "final",
        "category": [concept("", (systems.OBSERVATION_CATEGORY, category))],
        "code": code,
        "subject": visit.patient,
        "encounter": visit.encounter,
        "effectiveDateTime": visit.date,
        **value,
    }
    visit.add(visit.numbered("Observation", name, service), body, f"{row.where}.{name}")
