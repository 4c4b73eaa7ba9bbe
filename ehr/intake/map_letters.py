"""XML7, XML8, XML13, XML14: discharge letter, record summary, referral and revisit letters."""

from datetime import timedelta
from typing import Final

from ehr.intake import systems
from ehr.intake.episode import Episode, concept, identified
from ehr.intake.map_orders import practitioner
from ehr.intake.map_visit import RESULTS, disease
from ehr.intake.papers import Paper, add_paper
from ehr.intake.xml_fields import Row, is_later
from ehr.referrals.models import Letter

_YES: Final = {"0": "Không", "1": "Có"}
_DISCHARGE: Final = Paper(
    kind="discharge",
    title="Giấy ra viện",
    lines={
        "CHAN_DOAN_RV": "Chẩn đoán ra viện",
        "PP_DIEUTRI": "Phương pháp điều trị",
        "MA_DINH_CHI_THAI": "Đình chỉ thai nghén",
        "NGUYENNHAN_DINHCHI": "Nguyên nhân đình chỉ thai nghén",
        "THOIGIAN_DINHCHI": "Thời gian đình chỉ thai nghén",
        "TUOI_THAI": "Tuổi thai (tuần)",
        "GHI_CHU": "Ghi chú",
        "SO_NGAY_NGHI": "Số ngày nghỉ",
        "NGOAITRU_TUNGAY": "Điều trị ngoại trú từ ngày",
        "NGOAITRU_DENNGAY": "Điều trị ngoại trú đến ngày",
    },
    numbers=("SO_LUU_TRU",),
    author="TEN_BS",
    department="MA_KHOA_RV",
    words={"MA_DINH_CHI_THAI": _YES},
)
_SUMMARY: Final = Paper(
    kind="summary",
    title="Tóm tắt hồ sơ bệnh án",
    lines={
        "DON_VI": "Đơn vị",
        "CHAN_DOAN_VAO": "Chẩn đoán vào viện",
        "CHAN_DOAN_RV": "Chẩn đoán ra viện",
        "QT_BENHLY": "Quá trình bệnh lý",
        "TOMTAT_KQ": "Tóm tắt kết quả",
        "PP_DIEUTRI": "Phương pháp điều trị",
        "NGAY_SINHCON": "Ngày sinh con",
        "NGAY_CONCHET": "Ngày con chết",
        "SO_CONCHET": "Số con chết",
        "KET_QUA_DTRI": "Kết quả điều trị",
        "GHI_CHU": "Ghi chú",
    },
    words={"KET_QUA_DTRI": RESULTS},
)
_REFERRAL: Final = Paper(
    kind="referral",
    title="Phiếu chuyển cơ sở khám bệnh, chữa bệnh",
    lines={
        "MA_NOI_DI": "Nơi đi",
        "MA_CSKCB_DI": "Nơi đi",
        "MA_NOI_DEN": "Nơi đến",
        "MA_CSKCB_DEN": "Nơi đến",
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
        "CHUCDANH_NGUOI_HT": "Chức danh người hộ tống",
    },
    numbers=("SO_HOSO", "SO_CHUYENTUYEN", "GIAY_CHUYEN_TUYEN"),
)
_REVISIT: Final = Paper(
    kind="revisit",
    title="Phiếu hẹn khám lại",
    lines={"CHAN_DOAN_RV": "Chẩn đoán", "NGAY_HEN_KL": "Ngày hẹn khám lại"},
    numbers=("SO_GIAYHEN_KL",),
)
# By the code of their kind, under which their documents are kept.
PAPERS: Final = {paper.kind: paper for paper in (_DISCHARGE, _SUMMARY, _REFERRAL, _REVISIT)}
_REASONS: Final = {"1": "Đủ điều kiện chuyển", "2": "Theo yêu cầu người bệnh", "3": "Lý do khác"}


def map_discharge(row: Row, episode: Episode) -> None:
    for name in ("THOIGIAN_DINHCHI", "NGOAITRU_TUNGAY", "NGOAITRU_DENNGAY"):
        row.moment(name)
    add_paper(_DISCHARGE, row, episode)


def map_summary(row: Row, episode: Episode) -> None:
    add_paper(_SUMMARY, row, episode)


def map_referral(row: Row, episode: Episode) -> None:
    """Both variants: MA_NOI_DI/DEN (130, 4750) and MA_CSKCB_DI/DEN (3176).

    A letter to its own sender has its codes swapped: the text shows them as sent, nobody is named
    as the receiver.
    """
    reason = row.coded("MA_LYDO_CT", "[1-3]")
    target = row.first("MA_CSKCB_DEN", "MA_NOI_DEN")
    receiver = identified(systems.FACILITY, "" if target == episode.facility_code else target)
    number = row.first("GIAY_CHUYEN_TUYEN", "SO_CHUYENTUYEN", "SO_HOSO")
    codes = [row.text("MA_BENH_CHINH"), *row.parts("MA_BENH_KT")]
    why = [
        concept(_REASONS.get(reason, ""), (systems.REFERRAL_REASON, reason)),
        concept(row.text("CHAN_DOAN_RV")),
        *(disease(code, episode.end) for code in codes if code),
        *(concept("", (systems.TRADITIONAL_DISEASE, code)) for code in row.parts("MA_BENH_YHCT")),
    ]
    request = episode.numbered("ServiceRequest", "XML13")
    episode.add(
        request,
        {
            "identifier": [{"system": systems.REFERRAL_LETTER, "value": number}] if number else [],
            "status": "active",
            "intent": "order",
            "code": concept("Phiếu chuyển cơ sở khám bệnh, chữa bệnh"),
            "subject": episode.patient,
            "encounter": episode.encounter,
            "authoredOn": row.moment("NGAY_RA") or episode.end,
            "requester": practitioner(row.text("MA_BAC_SI")),
            "performer": [receiver] if receiver else [],
            "reasonCode": [item for item in why if item],
        },
        row,
        whole_row=False,
        letter=_letter(row, episode, number, target, reason),
    )
    add_paper(_REFERRAL, row, episode, about=request)


def _letter(row: Row, episode: Episode, number: str, target: str, reason: str) -> Letter:
    """What its envelope says: the place that it goes to follows it (ehr/referrals)."""
    return Letter(
        number=number,
        receiver_code="" if target == episode.facility_code else target,
        issued_on=(row.moment("NGAY_RA") or episode.end)[:10],
        reason=reason,
    )


def map_revisits(summary: Row | None, letters: list[Row], episode: Episode) -> None:
    """Appointments of NGAY_TAI_KHAM and XML14; a day that both name is one appointment."""
    lettered: set[str] = set()
    for row in letters:
        moment = row.moment("NGAY_HEN_KL", required=True)
        if moment and episode.start and not is_later(moment, episode.start, timedelta(0)):
            row.fault("bad-date", "NGAY_HEN_KL")
        lettered.add(moment[:10])
        appointment = _add_appointment(row, episode, moment, row.text("SO_GIAYHEN_KL"))
        add_paper(_REVISIT, row, episode, about=appointment)
    for position, part in enumerate(summary.parts("NGAY_TAI_KHAM") if summary else ()):
        assert summary is not None
        one = Row(summary.table, summary.where, {"NGAY_TAI_KHAM": part}, summary.reasons)
        moment = one.moment("NGAY_TAI_KHAM")
        if moment and moment[:10] not in lettered:
            _add_appointment(one, episode, moment, "", str(position))


def _add_appointment(row: Row, episode: Episode, moment: str, number: str, position: str = "") -> str:
    """Its reference within the package."""
    timed = len(moment) > 10
    doctor = practitioner(row.text("MA_BAC_SI"))
    appointment = episode.numbered("Appointment", row.table, moment[:10], position)
    episode.add(
        appointment,
        {
            "identifier": [{"system": systems.REVISIT_LETTER, "value": number}] if number else [],
            "status": "booked",
            "description": "Hẹn khám lại",
            "start": moment if timed else "",
            "requestedPeriod": [] if timed or not moment else [{"start": moment, "end": moment}],
            "supportingInformation": [episode.encounter] if episode.encounter else [],
            "participant": [
                {"actor": actor, "status": "accepted"} for actor in (episode.patient, doctor) if actor
            ],
        },
        row,
        whole_row=False,
    )
    return appointment
