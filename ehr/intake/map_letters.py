"""XML7, XML8, XML13, XML14: discharge letter, record summary, referral and revisit letters.

Once signed no paper is issued: the electronic letter is the document (vietnam.md §4).
"""

import base64
from datetime import timedelta
from typing import Any, Final

from ehr.intake import systems
from ehr.intake.episode import Episode, concept
from ehr.intake.xml_fields import Row, is_later

_DISCHARGE: Final = {
    "CHAN_DOAN_RV": "Chẩn đoán ra viện",
    "PP_DIEUTRI": "Phương pháp điều trị",
    "GHI_CHU": "Ghi chú",
    "SO_NGAY_NGHI": "Số ngày nghỉ",
    "NGOAITRU_TUNGAY": "Điều trị ngoại trú từ ngày",
    "NGOAITRU_DENNGAY": "Điều trị ngoại trú đến ngày",
}
_SUMMARY: Final = {
    "CHAN_DOAN_VAO": "Chẩn đoán vào viện",
    "CHAN_DOAN_RV": "Chẩn đoán ra viện",
    "QT_BENHLY": "Quá trình bệnh lý",
    "TOMTAT_KQ": "Tóm tắt kết quả",
    "PP_DIEUTRI": "Phương pháp điều trị",
    "GHI_CHU": "Ghi chú",
}
_REFERRAL: Final = {
    "DAU_HIEU_LS": "Dấu hiệu lâm sàng",
    "CHAN_DOAN_RV": "Chẩn đoán",
    "QT_BENHLY": "Quá trình bệnh lý",
    "TOMTAT_KQ": "Kết quả xét nghiệm, cận lâm sàng",
    "TEN_DICH_VU": "Dịch vụ đã dùng",
    "TEN_THUOC": "Thuốc đã dùng",
    "PP_DIEUTRI": "Phương pháp điều trị",
    "PP_DIEU_TRI": "Phương pháp điều trị",
    "TINH_TRANG_CT": "Tình trạng lúc chuyển",
    "HUONG_DIEU_TRI": "Hướng điều trị",
    "PHUONGTIEN_VC": "Phương tiện vận chuyển",
}
_REVISIT: Final = {"CHAN_DOAN_RV": "Chẩn đoán", "NGAY_HEN_KL": "Ngày hẹn khám lại"}
_REASONS: Final = {"1": "Đủ điều kiện chuyển", "2": "Theo yêu cầu người bệnh", "3": "Lý do khác"}


def map_discharge(row: Row, episode: Episode) -> None:
    row.moment("NGAY_RA")
    _add_document(row, episode, "discharge", "Giấy ra viện", _DISCHARGE)


def map_summary(row: Row, episode: Episode) -> None:
    _add_document(row, episode, "summary", "Tóm tắt hồ sơ bệnh án", _SUMMARY)


def map_referral(row: Row, episode: Episode) -> None:
    """Both variants: MA_NOI_DI/DEN (130, 4750) and MA_CSKCB_DI/DEN (3176)."""
    reason = row.coded("MA_LYDO_CT", "[1-3]")
    target = row.first("MA_CSKCB_DEN", "MA_NOI_DEN")
    number = row.first("GIAY_CHUYEN_TUYEN", "SO_CHUYENTUYEN", "SO_HOSO")
    why = [
        concept(_REASONS.get(reason, ""), (systems.REFERRAL_REASON, reason)),
        concept(row.text("CHAN_DOAN_RV")),
    ]
    episode.add(
        episode.numbered("ServiceRequest", "XML13"),
        {
            "identifier": [{"system": systems.REFERRAL_LETTER, "value": number}] if number else [],
            "status": "active",
            "intent": "order",
            "code": concept("Phiếu chuyển cơ sở khám bệnh, chữa bệnh"),
            "subject": episode.patient,
            "encounter": episode.encounter,
            "authoredOn": row.moment("NGAY_RA") or episode.end,
            "performer": [{"identifier": {"system": systems.FACILITY, "value": target}}] if target else [],
            "reasonCode": [item for item in why if item],
        },
        row,
        whole_row=False,
    )
    _add_document(row, episode, "referral", "Phiếu chuyển cơ sở khám bệnh, chữa bệnh", _REFERRAL)


def map_revisits(summary: Row, letters: list[Row], episode: Episode) -> None:
    """Appointments of NGAY_TAI_KHAM and XML14; a day that both name is one appointment."""
    lettered: set[str] = set()
    for row in letters:
        moment = row.moment("NGAY_HEN_KL", required=True)
        if moment and episode.start and not is_later(moment, episode.start, timedelta(0)):
            row.fault("bad-date", "NGAY_HEN_KL")
        lettered.add(moment[:10])
        _add_appointment(row, episode, moment, row.text("SO_GIAYHEN_KL"))
        _add_document(row, episode, "revisit", "Phiếu hẹn khám lại", _REVISIT)
    for position, part in enumerate(summary.parts("NGAY_TAI_KHAM")):
        one = Row(summary.table, summary.where, {"NGAY_TAI_KHAM": part}, summary.reasons)
        moment = one.moment("NGAY_TAI_KHAM")
        if moment and moment[:10] not in lettered:
            _add_appointment(one, episode, moment, "", str(position))


def _add_appointment(row: Row, episode: Episode, moment: str, number: str, position: str = "") -> None:
    timed = len(moment) > 10
    episode.add(
        episode.numbered("Appointment", row.table, moment[:10], position),
        {
            "identifier": [{"system": systems.REVISIT_LETTER, "value": number}] if number else [],
            "status": "booked",
            "description": "Hẹn khám lại",
            "start": moment if timed else "",
            "requestedPeriod": [] if timed or not moment else [{"start": moment, "end": moment}],
            "participant": [{"actor": episode.patient, "status": "accepted"}],
        },
        row,
        whole_row=False,
    )


def _add_document(row: Row, episode: Episode, kind: str, title: str, fields: dict[str, str]) -> None:
    lines = [f"{label}: {row.text(name)}" for name, label in fields.items() if row.text(name)]
    data = base64.b64encode("\n".join(lines).encode()).decode()
    attachment: dict[str, Any] = {
        "contentType": "text/plain; charset=utf-8",
        "language": "vi",
        "title": title,
    }
    episode.add(
        episode.numbered("DocumentReference", row.table, kind),
        {
            "status": "current",
            "type": concept(title, (systems.DOCUMENT_KIND, kind)),
            "subject": episode.patient,
            "date": episode.end or episode.start,
            "description": title,
            "content": [{"attachment": {**attachment, "data": data}}],
            "context": {"encounter": [episode.encounter]},
        },
        row,
        whole_row=False,
    )
