"""XML15: treatment of tuberculosis. What the table says of HIV was left behind while it was read (§5)."""

from typing import Final

from ehr.intake import systems
from ehr.intake.episode import Episode, concept
from ehr.intake.xml_fields import Row

_KINDS: Final = {
    "PHANLOAI_LAO_VITRI": ("Vị trí", {"1": "Lao phổi", "2": "Lao ngoài phổi"}),
    "PHANLOAI_LAO_TS": (
        "Tiền sử điều trị",
        {
            "1": "Lao mới",
            "2": "Tái phát",
            "3": "Thất bại",
            "4": "Điều trị lại sau bỏ trị",
            "5": "Điều trị lại khác",
            "6": "Không rõ tiền sử điều trị",
        },
    ),
    "PHANLOAI_LAO_VK": (
        "Bằng chứng vi khuẩn học",
        {"1": "Có bằng chứng vi khuẩn học", "2": "Không có bằng chứng vi khuẩn học"},
    ),
    "PHANLOAI_LAO_KT": (
        "Kháng thuốc",
        {
            "1": "Kháng đơn thuốc",
            "2": "Kháng nhiều thuốc",
            "3": "Đa kháng thuốc",
            "4": "Kháng Rifampicin",
            "5": "Tiền siêu kháng",
        },
    ),
    "LOAI_DTRI_LAO": (
        "Loại điều trị",
        {
            "0": "Không điều trị lao",
            "1": "Điều trị lao tiềm ẩn",
            "2": "Điều trị lao nhạy cảm thuốc",
            "3": "Điều trị lao kháng thuốc",
        },
    ),
    "PHACDO_DTRI_LAO": ("Phác đồ (mã)", {}),
    "KET_QUA_DTRI_LAO": ("Kết quả điều trị (mã)", {}),
}


def map_tuberculosis(row: Row, episode: Episode) -> None:
    """One treatment as CarePlan: its period, and one activity for each thing said of it."""
    period = {"start": row.moment("NGAYBD_DTRI_LAO"), "end": row.moment("NGAYKT_DTRI_LAO")}
    activity = [
        {
            "detail": {
                "code": concept("", (f"{systems.TUBERCULOSIS}:{name.lower()}", code)),
                "status": "completed" if period["end"] else "in-progress",
                "description": f"{label}: {words.get(code, code)}",
            }
        }
        for name, (label, words) in _KINDS.items()
        if (code := row.text(name))
    ]
    if not activity and not period["start"]:
        return
    episode.add(
        episode.numbered("CarePlan", "XML15", row.text("NGAYBD_DTRI_LAO")),
        {
            "status": "completed" if period["end"] else "active",
            "intent": "plan",
            "title": "Điều trị lao",
            "subject": episode.patient,
            "encounter": episode.encounter,
            "period": {key: value for key, value in period.items() if value},
            "created": episode.end or episode.start,
            "activity": activity,
        },
        row,
    )
