"""XML10, XML11, XML12: antenatal leave, sick leave, assessment by a medical board."""

from typing import Final

from ehr.intake.episode import Episode
from ehr.intake.map_person import map_patient, read_born, read_cards, read_number
from ehr.intake.models import PersonFacts, Unit
from ehr.intake.papers import Paper, add_paper
from ehr.intake.xml_fields import Row

_ANTENATAL: Final = Paper(
    kind="antenatal-leave",
    title="Giấy chứng nhận nghỉ dưỡng thai",
    lines={
        "CHAN_DOAN_RV": "Chẩn đoán",
        "SO_NGAY": "Số ngày nghỉ",
        "TU_NGAY": "Từ ngày",
        "DEN_NGAY": "Đến ngày",
        "DON_VI": "Đơn vị",
    },
    numbers=("SO_SERI", "SO_CT"),
    author="TEN_BS",
    period=("TU_NGAY", "DEN_NGAY"),
)
_SICK: Final = Paper(
    kind="sick-leave",
    title="Giấy chứng nhận nghỉ việc hưởng bảo hiểm xã hội",
    lines={
        "CHAN_DOAN_RV": "Chẩn đoán",
        "PP_DIEUTRI": "Phương pháp điều trị",
        "MA_DINH_CHI_THAI": "Đình chỉ thai nghén",
        "NGUYENNHAN_DINHCHI": "Nguyên nhân đình chỉ thai nghén",
        "TUOI_THAI": "Tuổi thai (tuần)",
        "SO_NGAY_NGHI": "Số ngày nghỉ",
        "TU_NGAY": "Từ ngày",
        "DEN_NGAY": "Đến ngày",
        "DON_VI": "Đơn vị",
        "MAU_SO": "Mẫu số",
    },
    numbers=("SO_CT", "SO_SERI", "SO_KCB"),
    period=("TU_NGAY", "DEN_NGAY"),
    words={"MA_DINH_CHI_THAI": {"0": "Không", "1": "Có"}},
)
_ASSESSMENT: Final = Paper(
    kind="assessment",
    title="Biên bản giám định y khoa",
    lines={
        "NGAY_HOP": "Ngày họp hội đồng",
        "MA_DOI_TUONG": "Đối tượng giám định",
        "KHAM_GIAM_DINH": "Khám giám định",
        "DANG_HUONG_CHE_DO": "Chế độ đang hưởng",
        "SO_VAN_BAN_CAN_CU": "Văn bản căn cứ",
        "SO_GIAY_GIOI_THIEU": "Số giấy giới thiệu",
        "GIOI_THIEU_CUA": "Giới thiệu của",
        "NGAY_DE_NGHI": "Ngày đề nghị",
        "KET_QUA_KHAM": "Kết quả khám",
        "TYLE_TTCT_CU": "Tỷ lệ tổn thương cơ thể lần trước (%)",
        "TYLE_TTCT_MOI": "Tỷ lệ tổn thương cơ thể (%)",
        "TONG_TYLE_TTCT": "Tổng tỷ lệ tổn thương cơ thể (%)",
        "DANG_KHUYETTAT": "Dạng khuyết tật",
        "MUC_DO_KHUYETTAT": "Mức độ khuyết tật",
        "DE_NGHI": "Đề nghị",
        "DUOC_XACDINH": "Được xác định",
    },
    numbers=("SO_BIEN_BAN",),
    signed="NGAY_CHUNG_TU",
    period=("NGAY_HOP", ""),
)


def map_antenatal_leave(row: Row, episode: Episode) -> None:
    add_paper(_ANTENATAL, row, episode, row.text("SO_CT"))


def map_sick_leave(row: Row, episode: Episode) -> None:
    add_paper(_SICK, row, episode, row.text("SO_CT"))


def read_assessment(row: Row, episode: Episode, where: str) -> Unit:
    """XML12 belongs to no visit and never comes through hospital software: a unit with its own person.

    It names no sex, so it is written only where the number alone decides; else it is held (S17).
    """
    numbers = read_number(row, "SO_CCCD") + read_cards(row, "MA_THE_BHYT") + read_cards(row, "MA_BHXH")
    person = PersonFacts(
        identifiers=tuple(numbers),
        name=row.required("HO_TEN") or None,
        birth_date=read_born(row, "NGAY_SINH", episode)[0] or None,
        phone=row.text("DIEN_THOAI") or None,
        address=row.text("DIA_CHI") or None,
    )
    row.moment("NGAY_DE_NGHI")
    map_patient(row, person, episode)
    add_paper(_ASSESSMENT, row, episode)
    return Unit(
        name=where,
        key=f"assessment:{episode.ma_lk}",
        person=person,
        items=episode.items,
        snapshot=True,
        facility_code=episode.facility_code or None,
        documents=("XML12",),
    )
