"""Parts B and C of the QĐ 831 form: history, risks, allergies, diseases, family, doses."""

from typing import Any, Final

from lxml import etree

from ehr.intake import systems
from ehr.intake.drafts import UnitDraft
from ehr.intake.episode import concept, quantity
from ehr.intake.phr831_fields import (
    ALLERGIES,
    DISABILITIES,
    DISEASES,
    DRUG_USE,
    RISKS,
    STATES,
    blocks,
    day,
    flag,
    row_of,
)
from ehr.intake.xml_fields import Row

_DELIVERIES: Final = {"0": "Đẻ thường", "1": "Đẻ mổ"}
_YES: Final = {True: "Có", False: "Không"}
_SIZES: Final = {
    "CANNANG": ("8339-4", "Cân nặng lúc sinh", "g", "g"),
    "CHIEUDAI": ("89269-5", "Chiều dài lúc sinh", "cm", "cm"),
}
# Texts of a block, each an Observation under the form's own element name.
_BIRTH_TEXTS: Final = {"DITAT_BAMSINH": "Dị tật bẩm sinh", "KHAC": "Tình trạng lúc sinh: vấn đề khác"}
_RISK_TEXTS: Final = {
    "YEUTO_TIEPXUC": "Yếu tố tiếp xúc nghề nghiệp, môi trường",
    "THOIGIAN_TIEPXUC": "Thời gian tiếp xúc",
    "LOAIHOXIGD": "Loại hố xí của gia đình",
    "KHAC": "Yếu tố nguy cơ khác",
}
_REPRODUCTIVE: Final = {
    "BIENPHAP_TRANHTHAI": "Biện pháp tránh thai",
    "KYTHAICUOI": "Kỳ có thai cuối cùng",
    "SOLAN_COTHAI": "Số lần có thai",
    "SOLAN_SAYTHAI": "Số lần sảy thai",
    "SOLAN_PHATHAI": "Số lần phá thai",
    "SOLAN_SINHDE": "Số lần sinh đẻ",
    "SOLAN_DETHUONG": "Số lần đẻ thường",
    "SOLAN_DEMO": "Số lần đẻ mổ",
    "SOLANDEKHO": "Số lần đẻ khó",
    "SOLANDE_DUTHANG": "Số lần đẻ đủ tháng",
    "SOLAN_DENON": "Số lần đẻ non",
    "SOCON_HIENSONG": "Số con hiện sống",
    "BENH_PHUKHOA": "Bệnh phụ khoa",
}
_OWN_DISEASES: Final = ("TIEUSU_BENHTAT", "TIENSU_BENHTAT")


def map_history(element: etree._Element, where: str, draft: UnitDraft) -> None:
    """Part B."""
    for block in blocks(element, "TINHTRANG_LUCSINH"):
        _map_birth(row_of(block, f"{where}/TINHTRANG_LUCSINH", draft), draft)
    for block in blocks(element, "YEUTO_SUCKHOE"):
        _map_risks(block, f"{where}/YEUTO_SUCKHOE", draft)
    for number, block in enumerate(blocks(element, "KHUYETTAT", "DSKHUYETTAT"), start=1):
        _map_disability(row_of(block, f"{where}/KHUYETTAT/DSKHUYETTAT[{number}]", draft), draft)
    for name in _OWN_DISEASES:
        for row in _rows(element, where, draft, name, "DIUNG", "DSDIUNG"):
            _map_allergy(row, draft)
        for row in _rows(element, where, draft, name, "BENHTAT", "DSBENH"):
            _map_disease(row, draft)
    for row in _rows(element, where, draft, "TIENSU_GIADINH", "DIUNG", "DSDIUNG"):
        _map_relative(row, row.required("TEN"), "", draft)
    for row in _rows(element, where, draft, "TIENSU_GIADINH", "BENHTAT", "DSBENH"):
        if row.text("TRANGTHAI") != "0":
            _map_relative(row, _disease_title(row), row.text("LOAIBENH"), draft)
    for block in blocks(element, "SUCKHOE_SINHSAN"):
        row = row_of(block, f"{where}/SUCKHOE_SINHSAN", draft)
        _map_texts(row, _REPRODUCTIVE, draft)
    _map_free_texts(row_of(element, where, draft), draft)


def _rows(element: etree._Element, where: str, draft: UnitDraft, *path: str) -> list[Row]:
    found = blocks(element, *path)
    place = f"{where}/{'/'.join(path)}"
    return [row_of(block, f"{place}[{number}]", draft) for number, block in enumerate(found, start=1)]


def _map_birth(row: Row, draft: UnitDraft) -> None:
    kind = _DELIVERIES.get(row.coded("LOAIDE", "[01]"), "")
    _observe(row, "LOAIDE", "Hình thức đẻ", {"valueString": kind} if kind else {}, draft)
    for name, title in (("DETHIEUTHANG", "Đẻ thiếu tháng"), ("BINGAT_LUCDE", "Bị ngạt lúc đẻ")):
        found = flag(row, name)
        _observe(row, name, title, {} if found is None else {"valueString": _YES[found]}, draft)
    for name, (code, title, unit, ucum) in _SIZES.items():
        if value := row.decimal(name):
            amount = {"valueQuantity": quantity(value, unit, (systems.UCUM, ucum))}
            _observe(row, name, title, amount, draft, (systems.LOINC, code))
    _map_texts(row, _BIRTH_TEXTS, draft)


def _map_risks(element: etree._Element, where: str, draft: UnitDraft) -> None:
    """LOAI 3 (drug use) is dropped by rule, whatever its name says; only its count is kept."""
    for number, block in enumerate(blocks(element, "DSYEUTO"), start=1):
        row = row_of(block, f"{where}/DSYEUTO[{number}]", draft)
        kind = row.coded("LOAI", "0?[1-4]", required=True).lstrip("0")
        if kind == DRUG_USE:
            draft.withheld += 1
        elif kind:
            _map_risk(row, kind, draft)
    _map_texts(row_of(element, where, draft), _RISK_TEXTS, draft)


def _map_risk(row: Row, kind: str, draft: UnitDraft) -> None:
    state = STATES.get(row.coded("TRANGTHAI", "[012]"), "")
    amount, stopped = row.text("SOLUONG"), flag(row, "DABO")
    parts = [state, f"số lượng {amount}" if amount else "", "đã bỏ" if stopped else ""]
    named = row.text("TENLOAI")
    body = _observation(concept(named or RISKS[kind], (systems.FORM_831, f"DSYEUTO-{kind}")), draft)
    value = ", ".join(part for part in parts if part)
    if value:
        draft.add(
            draft.numbered("Observation", "DSYEUTO", kind), {**body, "valueString": value}, row.where, named
        )


def _map_disability(row: Row, draft: UnitDraft) -> None:
    kind = row.coded("LOAI", "[1-7]")
    title = row.text("TENLOAI") or DISABILITIES.get(kind, "")
    if not title:
        row.fault("missing-field", "LOAI")
    _add_condition(row, title, (systems.FORM_831, f"KHUYETTAT-{kind}" if kind else ""), draft)


def _map_disease(row: Row, draft: UnitDraft) -> None:
    """TRANGTHAI 0 says that the person does not have it: nothing is written for it."""
    kind, has = row.coded("LOAIBENH", "[1-9]|1[0-5]"), flag(row, "TRANGTHAI")
    title = _disease_title(row)
    if has is not False:
        _add_condition(row, title, (systems.FORM_831, f"BENHTAT-{kind}" if kind else ""), draft)


def _disease_title(row: Row) -> str:
    title = row.text("TENBENH") or DISEASES.get(row.text("LOAIBENH"), "")
    if not title:
        row.fault("missing-field", "TENBENH")
    return title


def _add_condition(row: Row, title: str, code: tuple[str, str], draft: UnitDraft) -> None:
    body = {
        "clinicalStatus": concept("", (systems.CONDITION_CLINICAL, "active")),
        "category": [concept("", (systems.CONDITION_CATEGORY, "problem-list-item"))],
        "code": concept(title, code),
        "subject": draft.patient,
        "note": _notes(row, "MOTA"),
    }
    draft.add(draft.numbered("Condition", code[1] or title, title), body, row.where)


def _map_allergy(row: Row, draft: UnitDraft) -> None:
    kind = row.coded("LOAI", "[1-4]")
    name = row.required("TEN")
    category = ALLERGIES.get(kind, "")
    body = {
        "clinicalStatus": concept("", (systems.ALLERGY_CLINICAL, "active")),
        "category": [category] if category else [],
        "code": concept(name, (systems.FORM_831 + ":allergen", row.text("MASO"))),
        "patient": draft.patient,
        "note": _notes(row, "MOTA"),
    }
    draft.add(draft.numbered("AllergyIntolerance", row.text("MASO") or name), body, row.where)


def _map_relative(row: Row, title: str, kind: str, draft: UnitDraft) -> None:
    """NGUOIMAC says which relative, by kinship; the gate reads it with the rest."""
    body = {
        "status": "completed",
        "patient": draft.patient,
        "relationship": concept(row.text("NGUOIMAC") or "Người trong gia đình"),
        "condition": [{"code": concept(title, (systems.FORM_831, f"BENHTAT-{kind}" if kind else ""))}],
        "note": _notes(row, "MOTA"),
    }
    reference = draft.numbered("FamilyMemberHistory", title, row.text("NGUOIMAC"))
    draft.add(reference, body, row.where)


def _map_free_texts(row: Row, draft: UnitDraft) -> None:
    if surgery := row.text("TIENSU_PHAUTHUAT"):
        body = {"status": "completed", "code": concept(surgery), "subject": draft.patient}
        draft.add(draft.name("Procedure", "TIENSU_PHAUTHUAT"), body, f"{row.where}.TIENSU_PHAUTHUAT")
    _map_texts(row, {"VANDEKHAC": "Vấn đề khác"}, draft)


def map_doses(element: etree._Element, where: str, draft: UnitDraft) -> None:
    """Part C. A dose that was not given yet is no Immunization; its date is an appointment."""
    for number, block in enumerate(blocks(element, "THONGTINMUITIEM"), start=1):
        row = row_of(block, f"{where}/THONGTINMUITIEM[{number}]", draft)
        name, given = row.first("TENVACXIN", "MAVACXIN"), flag(row, "TRANGTHAI")
        if not name:
            row.fault("missing-field", "TENVACXIN")
        elif given:
            _add_dose(row, name, draft)
        _map_next(row, name, draft)
    row = row_of(element, where, draft)
    _map_texts(row, {"SOMUIUONVANMETIEM": "Số mũi uốn ván mẹ đã tiêm"}, draft)


def _add_dose(row: Row, name: str, draft: UnitDraft) -> None:
    taken = day(row, "NGAYTIEM", required=True)
    told = {
        "LOAIVACXIN": "Danh mục",
        "THANGTHAI": "Tháng thai",
        "PHANUNGSAUTIEM": "Phản ứng sau tiêm",
        "SOMUIUONVANMETIEM": "Số mũi uốn ván mẹ đã tiêm",
    }
    notes = [{"text": f"{label}: {row.text(field)}"} for field, label in told.items() if row.text(field)]
    body = {
        "status": "completed",
        "vaccineCode": concept(name, (systems.VACCINE, row.text("MAVACXIN"))),
        "patient": draft.patient,
        "occurrenceDateTime": taken,
        "note": notes,
    }
    draft.add(draft.numbered("Immunization", row.first("MAVACXIN", "TENVACXIN"), taken), body, row.where)


def _map_next(row: Row, name: str, draft: UnitDraft) -> None:
    planned = day(row, "NGAYHENTIEM")[:10]
    if not planned:
        return
    body = {
        "status": "booked",
        "description": f"Hẹn tiêm chủng: {name}",
        "requestedPeriod": [{"start": planned, "end": planned}],
        "participant": [{"actor": draft.patient, "status": "accepted"}],
    }
    draft.add(draft.numbered("Appointment", name, planned), body, f"{row.where}.NGAYHENTIEM")


def _map_texts(row: Row, titles: dict[str, str], draft: UnitDraft) -> None:
    for name, title in titles.items():
        text = row.text(name)
        _observe(row, name, title, {"valueString": text} if text else {}, draft)


def _observe(
    row: Row, name: str, title: str, value: dict[str, Any], draft: UnitDraft, *codes: tuple[str, str]
) -> None:
    if value:
        block = row.where.rpartition("/")[2]
        code = concept(title, *codes, (systems.FORM_831, f"{block}.{name}"))
        reference = draft.name("Observation", f"{block}.{name}")
        draft.add(reference, {**_observation(code, draft), **value}, f"{row.where}.{name}")


def _observation(code: dict[str, Any], draft: UnitDraft) -> dict[str, Any]:
    category = [concept("", (systems.OBSERVATION_CATEGORY, "social-history"))]
    return {"status": "final", "category": category, "code": code, "subject": draft.patient}


def _notes(row: Row, name: str) -> list[dict[str, str]]:
    return [{"text": row.text(name)}] if row.text(name) else []
