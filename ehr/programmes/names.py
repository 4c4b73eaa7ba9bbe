"""What programmes, endings and reports are called. Plain words: people read them first."""

from datetime import date
from typing import Final

from ehr.programmes.models import EndReason, Enrolment, Frequency, Programme

PROGRAMME_VI: Final[dict[Programme, str]] = {
    "pregnancy": "thai kỳ",
    "child-nutrition": "dinh dưỡng trẻ em",
    "school-health": "sức khỏe học đường",
    "elderly": "sức khỏe người cao tuổi",
    "hypertension": "tăng huyết áp",
    "diabetes": "đái tháo đường",
    "cancer": "bệnh ung thư",
}
END_VI: Final[dict[EndReason, str]] = {
    "completed": "đã xong đợt theo dõi",
    "discharged": "không cần theo dõi nữa",
    "transferred": "chuyển nơi theo dõi",
    "moved-away": "đã chuyển chỗ ở",
    "declined": "thôi theo dõi theo ý của người được theo dõi",
    "birth": "đã sinh",
    "pregnancy-ended": "thai kỳ đã kết thúc",
}
_EVERY_VI: Final[dict[Frequency, str]] = {
    "monthly": "Cơ sở báo cáo mỗi tháng một lần",
    "quarterly": "Cơ sở báo cáo mỗi quý một lần",
}


def title_of(programme: Programme) -> str:
    return f"Được theo dõi {PROGRAMME_VI[programme]}"


def sentence(doc: Enrolment, facility_name: str) -> str:
    """Được theo dõi … tại … từ …; lần khám tới …"""
    body, end = doc.body, doc.end
    where = f"{title_of(body.programme)} tại {facility_name} từ {day(body.enrolled_on)}"
    if end is not None:
        return f"{where} đến {day(end.ended_on)}."
    if body.next_visit_on is None:
        return f"{where}. Chưa hẹn lần khám tới."
    return f"{where}. Lần khám tới: {day(body.next_visit_on)}."


def ending(doc: Enrolment) -> str:
    end = doc.end
    if end is None:
        return ""
    to = f" ({end.to_facility})" if end.to_facility else ""
    return f"Kết thúc: {END_VI[end.reason]}{to}."


def freshness(doc: Enrolment) -> str:
    """How current a facility's word is; nothing where it tells as it happens."""
    every, until = _EVERY_VI.get(doc.body.frequency), doc.body.reported_on
    told = f"Số liệu đến ngày {day(until)}" if until else ""
    return "; ".join(part for part in (every, told.lower() if every else told) if part) + (
        "." if every or told else ""
    )


def day(one: date) -> str:
    return f"{one:%d/%m/%Y}"
