"""What may be seen of a book, for how long and by whom, in words a person reads (both languages).

Vietnamese names of kinds of entries are those of the page where apps are let in (partners/smart/texts).
"""

from collections.abc import Iterable
from typing import Final

from partners.smart.texts import texts

HOUR: Final = 3600
DAY: Final = 24 * HOUR
Words = tuple[str, str]

_KINDS_EN: Final = {
    "AllergyIntolerance": "Allergies",
    "Condition": "Diagnoses",
    "MedicationRequest": "Prescriptions",
    "MedicationStatement": "Medicines taken now",
    "Immunization": "Vaccinations",
    "Observation.laboratory": "Test results",
    "Observation.vital-signs": "Vital signs measured by health workers",
    "Observation.pregnancy": "Pregnancy",
    "Observation.wearable": "Measurements by your devices and by hand",
    "Observation.other": "Other observations",
    "DiagnosticReport": "Reports of examinations",
    "ImagingStudy": "Imaging (X-ray, ultrasound …)",
    "Procedure": "Procedures and operations",
    "Encounter": "Visits",
    "CarePlan": "Treatment plans",
    "Device": "Implants",
    "DocumentReference": "Papers and documents",
    "FamilyMemberHistory": "Illnesses in the family",
    "QuestionnaireResponse": "Questionnaires you answered",
    "Patient": "Your name, birth date and sex",
    "administrative": "Who you are: name, birth date, numbers, phone, address, insurance card",
    "history": "History: allergies, illnesses, vaccinations",
    "encounters": "Each visit: where, diagnoses, tests, imaging, medicines, procedures",
    "summary": "Summary: course of treatment, main results, prescriptions, advice, next visit",
    "Other": "Other entries",
}
_OTHER_VI: Final = "Thông tin khác"
PURPOSES: Final[dict[str, Words]] = {
    "TREAT": ("Khám và chữa bệnh", "Treatment"),
    "ETREAT": ("Cấp cứu", "Emergency treatment"),
}
ROLES: Final[dict[str, Words]] = {
    "doctor": ("Bác sĩ", "Doctor"),
    "pharmacist": ("Dược sĩ", "Pharmacist"),
    "vaccinator": ("Nhân viên tiêm chủng", "Vaccinator"),
    "nurse": ("Điều dưỡng", "Nurse"),
}
LABELS: Final[dict[str, Words]] = {
    "HIV": ("HIV", "HIV"),
    "ETH": ("rượu và chất gây nghiện", "alcohol and drugs"),
    "PSY": ("sức khỏe tâm thần", "mental health"),
    "SEX": ("sức khỏe tình dục và sinh sản", "sexual and reproductive health"),
    "STD": ("bệnh lây qua đường tình dục", "sexually transmitted disease"),
    "SDV": ("bạo lực gia đình, xâm hại", "violence and abuse"),
    "GDIS": ("di truyền", "genetics"),
    "RESTRICTED": ("mục chưa được phân loại của khoa nhạy cảm", "unsorted notes of sensitive wards"),
}
SCOPES: Final[dict[str, Words]] = {
    "appointments": ("Đặt và xem lịch hẹn", "Appointments"),
    "reminders": ("Được báo khi tôi quên một lời nhắc", "Be told when I miss a reminder"),
    "vitals": ("Xem số đo và cảnh báo", "See measurements and alerts"),
    "read-record": ("Xem sổ (trừ phần nhạy cảm)", "Read the book (without what is sensitive)"),
    "add-to-record": ("Khai thêm vào sổ thay tôi", "Add entries for me"),
    "consent": ("Trả lời yêu cầu xem sổ thay tôi", "Answer requests to read for me"),
}


def kinds(names: Iterable[str], *, english: bool) -> list[str]:
    """Kinds of entries in words, in the order of the book; a kind without words is called other."""
    known = _KINDS_EN if english else texts().boxes
    other = _KINDS_EN["Other"] if english else _OTHER_VI
    return list(dict.fromkeys(known.get(name, other) for name in in_order(names)))


def in_order(names: Iterable[str]) -> list[str]:
    """Each name once, what matters most for treatment first."""
    order = list(_KINDS_EN)
    return sorted(set(names), key=lambda name: order.index(name) if name in order else len(order))


def said(words: dict[str, Words], name: str, *, english: bool) -> str:
    """One of the tables above; a name without words stays as it is."""
    return words[name][english] if name in words else name


def duration(seconds: int, *, english: bool) -> str:
    """`7 ngày`, `24 giờ`, `30 phút`."""
    if seconds % DAY == 0 and seconds > DAY:
        return f"{seconds // DAY} {'days' if english else 'ngày'}"
    if seconds % HOUR == 0:
        hours = seconds // HOUR
        return f"{hours} {('hour' if hours == 1 else 'hours') if english else 'giờ'}"
    minutes = round(seconds / 60)
    return f"{minutes} {'minutes' if english else 'phút'}"
