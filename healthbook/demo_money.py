"""What packages of the demo say of money, of the card and of a letter to another facility: invented, like the
rest. The sums of a visit add up; no price is a real one."""

from datetime import date, timedelta
from random import Random
from typing import Final

from healthbook.demo_facilities import CLINIC, HOSPITAL, DemoFacility
from healthbook.demo_people import DemoPerson

XML13: Final = (
    "MA_LK SO_HOSO SO_CHUYENTUYEN GIAY_CHUYEN_TUYEN MA_CSKCB MA_CSKCB_DI MA_CSKCB_DEN HO_TEN NGAY_SINH "
    "GIOI_TINH MA_QUOCTICH MA_DANTOC MA_NGHE_NGHIEP DIA_CHI MA_THE_BHYT GT_THE_DEN NGAY_VAO "
    "NGAY_VAO_NOI_TRU NGAY_RA DAU_HIEU_LS CHAN_DOAN_RV QT_BENHLY TOMTAT_KQ PP_DIEUTRI MA_BENH_CHINH "
    "MA_BENH_KT MA_BENH_YHCT TINH_TRANG_CT MA_LOAI_RV MA_LYDO_CT HUONG_DIEU_TRI PHUONGTIEN_VC "
    "HOTEN_NGUOI_HT CHUCDANH_NGUOI_HT MA_BAC_SI MA_TTDV DU_PHONG"
)
# Who was sent on, from where to where: with the last visit there.
REFERRED: Final = {("hung", CLINIC.key): HOSPITAL}
_FUND_PERCENT: Final = 80
_FIVE_YEARS: Final = timedelta(days=4 * 365)


def sums_of(person: DemoPerson, day: date) -> dict[str, str]:
    """The sums of a visit (XML1 46–51): the fund's part, the person's inside its scope, the rest outside."""
    random = Random(f"{person.key}/{day}/money")
    in_scope, outside = random.randrange(150, 600) * 1000, random.randrange(0, 90) * 1000
    fund = in_scope * _FUND_PERCENT // 100 if person.insurance_card else 0
    return {
        "T_TONGCHI_BV": str(in_scope + outside),
        "T_TONGCHI_BH": str(in_scope),
        "T_BHTT": str(fund),
        "T_BNCCT": str(in_scope - fund),
        "T_BNTT": str(outside),
        "T_NGUONKHAC": "0",
    }


def card_of(person: DemoPerson, facility: DemoFacility, day: date) -> dict[str, str]:
    """The card as it was shown on a day: valid for that year, registered where it was shown."""
    if person.insurance_card is None:
        return {}
    return {
        "MA_DKBD": facility.code,
        "GT_THE_TU": f"{max(person.born, date(day.year, 1, 1)):%Y%m%d}",
        "GT_THE_DEN": f"{day.year}1231",
        "NAM_NAM_LIEN_TUC": f"{date(day.year, 1, 1) + _FIVE_YEARS:%Y%m%d}",
    }


def letter_of(
    person: DemoPerson, facility: DemoFacility, day: date, visit: dict[str, str]
) -> dict[str, str] | None:
    """XML13 of a visit whose person is sent on."""
    receiver = REFERRED.get((person.key, facility.key))
    if receiver is None:
        return None
    return {
        **visit,
        "SO_CHUYENTUYEN": f"CT-{day:%y%m%d}",
        "GIAY_CHUYEN_TUYEN": f"GCT-{day:%y%m%d}",
        "MA_CSKCB_DI": facility.code,
        "MA_CSKCB_DEN": receiver.code,
        "DAU_HIEU_LS": "Tỉnh, mạch và huyết áp ổn định",
        "TOMTAT_KQ": "Cần khám chuyên khoa",
        "PP_DIEUTRI": visit["PP_DIEU_TRI"],
        "MA_LYDO_CT": "1",
        "HUONG_DIEU_TRI": "Khám chuyên khoa nội tiết",
        "PHUONGTIEN_VC": "Tự túc",
    }
