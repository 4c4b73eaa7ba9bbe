"""The JSON of the national e-prescription as a unit of the record, with a reason for each wrong field.

The names of its fields are those of public clients of the national API (vietnam.md §6); what they leave open
stands in rules.json. It carries no number of an older prescription, so a replacement names it beside.
"""

import hashlib
import re
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from ehr.dosage.grammar import read_dose
from ehr.dosage.instruction import dosage_instruction
from ehr.intake import systems
from ehr.intake.bundle_person import is_identifier
from ehr.intake.drafts import UnitDraft
from ehr.intake.episode import concept, quantity
from ehr.intake.models import IdentifierKind, PersonFacts, PrescriptionFacts, Sex, Unit
from ehr.intake.phr831_person import add_patient
from ehr.intake.xml_fields import clean, is_ahead
from ehr.prescriptions.dates import child_months, day_of, instant_of
from ehr.prescriptions.policy import (
    RULES,
    collect_by,
    facility_code_of,
    kind_of,
    prescription_id_of,
    typed,
    unit_key,
)

LINES_MAX: Final = 100
TEXT_MAX: Final = 1_000
QUANTITY_MAX: Final = Decimal(1_000_000)
_AMOUNT: Final = re.compile(r"[0-9]{1,20}([.,][0-9]{1,20})?")
UNIT: Final = "prescription"

Text = str | int | float | None


class NationalDiagnosis(Struct, kw_only=True):
    """ma_chan_doan: ICD-10. ket_luan: the conclusion beside it."""

    ma_chan_doan: str | None = None
    ten_chan_doan: str | None = None
    ket_luan: str | None = None


class NationalDrug(Struct, kw_only=True):
    """One line. ten_thuoc: by its ingredient; biet_duoc: its brand; cach_dung: the dose text."""

    ma_thuoc: Text = None
    biet_duoc: str | None = None
    ten_thuoc: str | None = None
    don_vi_tinh: str | None = None
    so_luong: Text = None
    cach_dung: str | None = None


class NationalPrescription(Struct, kw_only=True):
    """An e-prescription as the national system takes it. Dates are dd/MM/yyyy or yyyy-MM-dd, ngay_gio_ke_don
    yyyy-MM-dd HH:mm:ss; gioi_tinh 2 male, 3 female. Other members, the signature too, are not kept."""

    loai_don_thuoc: str | None = None
    ma_don_thuoc: str | None = None
    ho_ten_benh_nhan: str | None = None
    ma_dinh_danh_y_te: Text = None
    ma_dinh_danh_cong_dan: Text = None
    ngay_sinh_benh_nhan: str | None = None
    can_nang: Text = None
    gioi_tinh: Text = None
    ma_so_the_bao_hiem_y_te: str | None = None
    thong_tin_nguoi_giam_ho: str | dict[str, Any] | None = None
    dia_chi: str | None = None
    chan_doan: list[NationalDiagnosis] = []
    luu_y: str | None = None
    dot_dung_thuoc: Any = None
    thong_tin_don_thuoc: list[NationalDrug] = []
    loi_dan: str | None = None
    ngay_tai_kham: str | None = None
    ngay_gio_ke_don: str | None = None


class SentPrescription(Struct, kw_only=True, forbid_unknown_fields=True):
    """A prescription and, where it corrects one that was sent, that one's code."""

    prescription: NationalPrescription
    replaces: str | None = None


class Draft(UnitDraft):
    """A prescription while it is mapped. issued: FHIR instant, empty while it is wrong."""

    issued: str = ""
    day: str = ""
    hints: list[str] = field(default_factory=list)

    def text(self, value: Text, where: str, *, required: bool = False) -> str:
        """A field as clean text. Faults: missing-field, too-long."""
        told = clean(str(value)) if value is not None else ""
        if required and not told:
            self.fault("missing-field", where)
        if len(told) > TEXT_MAX:
            self.fault("too-long", where)
            return ""
        return told


def unit_of(sent: SentPrescription, name: str, now: datetime) -> Unit:
    """The unit of a prescription. Raises BadInputError with every wrong field by its national name."""
    told = sent.prescription
    code = typed(told.ma_don_thuoc or "")
    draft = Draft(unit_key(prescription_id_of(code)) if code else "")
    replaces = _check_codes(told, sent.replaces, code, draft)
    issued = _issued(told, draft, now)
    person = _person(told, draft)
    _check_child(told, person, draft)
    _map_diagnoses(told, draft)
    _map_lines(told, draft)
    _map_onward(told, draft)
    draft.refuse_faults()
    assert code is not None
    assert issued is not None
    add_patient("ho_ten_benh_nhan", person, draft)
    unit = draft.unit(name, UNIT, person, facility_code_of(code))
    unit.prescription = PrescriptionFacts(
        prescription_id=prescription_id_of(code),
        code=code,
        issued_at=issued,
        collect_by=collect_by(issued),
        replaces=replaces,
        content_sha256=_content(told, replaces),
    )
    return unit


def _check_codes(
    told: NationalPrescription, replaces: str | None, code: str | None, draft: Draft
) -> str | None:
    if code is None:
        draft.fault("bad-code" if told.ma_don_thuoc else "missing-field", "ma_don_thuoc")
    kind = (told.loai_don_thuoc or "").strip().lower()
    if kind and (kind not in RULES["kinds"] or (code and RULES["kinds"][kind] != kind_of(code))):
        draft.fault("bad-code", "loai_don_thuoc")
    if replaces is None:
        return None
    older = typed(replaces)
    if older is None or older == code:
        draft.fault("bad-code", "replaces")
    elif code and facility_code_of(older) != facility_code_of(code):
        draft.fault("facility-mismatch", "replaces")
    return older


def _issued(told: NationalPrescription, draft: Draft, now: datetime) -> datetime | None:
    text = draft.text(told.ngay_gio_ke_don, "ngay_gio_ke_don", required=True)
    issued = instant_of(text) if text else None
    if text and issued is None:
        draft.fault("bad-date", "ngay_gio_ke_don")
    elif issued is not None and is_ahead(issued.isoformat(), now):
        draft.fault("future-date", "ngay_gio_ke_don")
    if issued is not None:
        draft.issued, draft.day = issued.isoformat(timespec="seconds"), issued.date().isoformat()
    return issued


def _person(told: NationalPrescription, draft: Draft) -> PersonFacts:
    found: list[tuple[IdentifierKind, str]] = []
    number = draft.text(told.ma_dinh_danh_y_te, "ma_dinh_danh_y_te")
    # The medical id is the personal number (NĐ 102/2025 art. 6); ten digits are the older one of BHXH.
    medical: IdentifierKind = "insurance-number" if len(number) == 10 else "national-id"
    card = draft.text(told.ma_so_the_bao_hiem_y_te, "ma_so_the_bao_hiem_y_te").upper()
    insured: IdentifierKind = "insurance-number" if card.isdigit() else "insurance-card"
    for where, kind, value in (
        (
            "ma_dinh_danh_cong_dan",
            "national-id",
            draft.text(told.ma_dinh_danh_cong_dan, "ma_dinh_danh_cong_dan"),
        ),
        ("ma_dinh_danh_y_te", medical, number),
        ("ma_so_the_bao_hiem_y_te", insured, card),
    ):
        if value and is_identifier(kind, value):  # type: ignore[arg-type]
            found.append((kind, value))  # type: ignore[arg-type]
        elif value:
            draft.fault("bad-identifier", where)
    born = draft.text(told.ngay_sinh_benh_nhan, "ngay_sinh_benh_nhan", required=True)
    birth_date = day_of(born, year_only=True) if born else None
    if born and birth_date is None:
        draft.fault("bad-date", "ngay_sinh_benh_nhan")
    elif birth_date and draft.day and birth_date > draft.day:
        draft.fault("future-date", "ngay_sinh_benh_nhan")
        birth_date = None
    return PersonFacts(
        identifiers=tuple(dict.fromkeys(found)),
        name=draft.text(told.ho_ten_benh_nhan, "ho_ten_benh_nhan", required=True) or None,
        birth_date=birth_date,
        sex=_sex(told, draft),
        address=draft.text(told.dia_chi, "dia_chi") or None,
    )


def _sex(told: NationalPrescription, draft: Draft) -> Sex | None:
    text = draft.text(told.gioi_tinh, "gioi_tinh", required=True)
    sexes: dict[str, Sex] = RULES["sexes_unconfirmed"]
    if text and text not in sexes:
        draft.fault("bad-code", "gioi_tinh")
    return sexes.get(text)


def _check_child(told: NationalPrescription, person: PersonFacts, draft: Draft) -> None:
    """A child below 72 months: weight, and who brings the child (TT 26/2025); months by the dates."""
    weight = draft.text(told.can_nang, "can_nang").replace(",", ".")
    if weight and _amount(weight) is None:
        draft.fault("bad-number", "can_nang")
    months = child_months(person.birth_date, draft.day) if person.birth_date and draft.day else None
    if months is None or months >= RULES["child_months"]:
        return
    if not weight:
        draft.fault("child-needs-weight", "can_nang")
    guardian = told.thong_tin_nguoi_giam_ho
    if not (any(guardian.values()) if isinstance(guardian, dict) else (guardian or "").strip()):
        draft.fault("child-needs-guardian", "thong_tin_nguoi_giam_ho")


def _map_diagnoses(told: NationalPrescription, draft: Draft) -> None:
    """Each diagnosis is a Condition; what it says is read by the gate with every line, so that a medicine
    does not stay where its reason had to go."""
    for number, one in enumerate(told.chan_doan):
        where = f"chan_doan[{number}]"
        code = draft.text(one.ma_chan_doan, f"{where}.ma_chan_doan")
        name = draft.text(one.ten_chan_doan, f"{where}.ten_chan_doan", required=not code)
        ending = draft.text(one.ket_luan, f"{where}.ket_luan")
        draft.hints += [text for text in (code, name, ending) if text]
        body = {
            "clinicalStatus": concept("", (systems.CONDITION_CLINICAL, "active")),
            "category": [concept("", (systems.CONDITION_CATEGORY, "encounter-diagnosis"))],
            "code": concept(name, (systems.ICD10, code)),
            "subject": draft.patient,
            "recordedDate": draft.issued,
            "note": [{"text": ending}] if ending and ending != name else [],
        }
        draft.add(draft.numbered("Condition", code or name), body, where)
    draft.hints += [
        text for text in (draft.text(told.luu_y, "luu_y"), draft.text(told.loi_dan, "loi_dan")) if text
    ]


def _map_lines(told: NationalPrescription, draft: Draft) -> None:
    drugs = told.thong_tin_don_thuoc
    if not drugs:
        draft.fault("missing-field", "thong_tin_don_thuoc")
    if len(drugs) > LINES_MAX:
        draft.fault("too-long", "thong_tin_don_thuoc")
        return
    for number, drug in enumerate(drugs):
        _map_line(drug, number + 1, told, draft)


def _map_line(drug: NationalDrug, line: int, told: NationalPrescription, draft: Draft) -> None:
    where = f"thong_tin_don_thuoc[{line - 1}]"
    name = draft.text(drug.ten_thuoc, f"{where}.ten_thuoc", required=not (drug.biet_duoc or "").strip())
    brand = draft.text(drug.biet_duoc, f"{where}.biet_duoc")
    unit = draft.text(drug.don_vi_tinh, f"{where}.don_vi_tinh", required=True)
    dose = draft.text(drug.cach_dung, f"{where}.cach_dung", required=True)
    amount = _ordered(drug, where, draft)
    _check_days(dose, where, told, draft)
    if amount is None or not (name or brand):
        return
    title = f"{name} ({brand})" if name and brand and brand.lower() not in name.lower() else name or brand
    body = {
        "identifier": [{"system": systems.PRESCRIPTION_LINE, "value": str(line)}],
        "groupIdentifier": {"system": systems.PRESCRIPTION, "value": draft.scope.partition(":")[2]},
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": concept(
            title, (systems.DRUG, draft.text(drug.ma_thuoc, f"{where}.ma_thuoc"))
        ),
        "subject": draft.patient,
        "authoredOn": draft.issued,
        "dosageInstruction": dosage_instruction(dose, "", draft.issued, {}),
        "dispenseRequest": {"quantity": quantity(format(amount, "f"), unit)},
    }
    draft.add(draft.name("MedicationRequest", str(line)), body, where, hints="\n".join(draft.hints))


def _ordered(drug: NationalDrug, where: str, draft: Draft) -> Decimal | None:
    text = draft.text(drug.so_luong, f"{where}.so_luong", required=True)
    amount = _amount(text) if text else None
    if text and amount is None:
        draft.fault("bad-number", f"{where}.so_luong")
    return amount


def _amount(text: str) -> Decimal | None:
    """A positive decimal in plain digits with at most three places; None for everything else."""
    if _AMOUNT.fullmatch(text) is None:
        return None
    value = Decimal(text.replace(",", "."))
    fits = 0 < value <= QUANTITY_MAX and value == round(value, 3)
    return value if fits else None


def _check_days(dose: str, where: str, told: NationalPrescription, draft: Draft) -> None:
    """At most 30 days, 90 for the listed chronic diseases; while the list is empty, 90 for all."""
    days, listed = read_dose(dose).days, RULES["long_course_icd_unconfirmed"]
    codes = tuple((one.ma_chan_doan or "").strip().upper() for one in told.chan_doan)
    is_long = not listed or any(code.startswith(tuple(listed)) for code in codes)
    if days is not None and days > RULES["days_max_long" if is_long else "days_max"]:
        draft.fault("too-many-days", f"{where}.cach_dung")


def _map_onward(told: NationalPrescription, draft: Draft) -> None:
    advice = "\n".join(text for text in ((told.luu_y or "").strip(), (told.loi_dan or "").strip()) if text)
    if advice and draft.issued:
        plan = {
            "status": "active",
            "intent": "plan",
            "title": "Lời dặn",
            "description": advice,
            "subject": draft.patient,
            "created": draft.issued,
        }
        draft.add(draft.name("CarePlan"), plan, "loi_dan")
    text = draft.text(told.ngay_tai_kham, "ngay_tai_kham")
    day = day_of(text) if text else None
    if text and (day is None or (draft.day and day < draft.day)):
        draft.fault("bad-date", "ngay_tai_kham")
    elif day:
        revisit = {
            "status": "booked",
            "description": "Hẹn khám lại",
            "requestedPeriod": [{"start": day, "end": day}],
            "participant": [{"actor": draft.patient, "status": "accepted"}],
        }
        draft.add(draft.name("Appointment"), revisit, "ngay_tai_kham")


def _content(told: NationalPrescription, replaces: str | None) -> bytes:
    """Of all that was said; white space, the order of members and unknown ones do not count."""
    said = (msgspec.to_builtins(told), replaces)
    return hashlib.sha256(msgspec.json.encode(said, order="deterministic")).digest()
