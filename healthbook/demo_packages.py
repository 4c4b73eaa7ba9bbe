"""Invented treatment packages GIAMDINHHS of the 3176 variant: XML1–5, 13 and 14, content in base64.

The order of the fields is that of QĐ 3176/QĐ-BYT (29/10/2024); a field without a value stays empty.
"""

import base64
from datetime import date, datetime, time, timedelta
from random import Random
from xml.sax.saxutils import escape

from healthbook.demo_catalogue import DRUGS, LABS, STORIES, DemoStory
from healthbook.demo_facilities import DemoFacility
from healthbook.demo_money import XML13, card_of, letter_of, sums_of
from healthbook.demo_people import DemoPerson
from kernel.clock import VIETNAM

XML1 = (
    "MA_LK STT MA_BN HO_TEN SO_CCCD NGAY_SINH GIOI_TINH NHOM_MAU MA_QUOCTICH MA_DANTOC MA_NGHE_NGHIEP "
    "DIA_CHI MATINH_CU_TRU MAHUYEN_CU_TRU MAXA_CU_TRU DIEN_THOAI MA_THE_BHYT MA_DKBD GT_THE_TU GT_THE_DEN "
    "NGAY_MIEN_CCT LY_DO_VV LY_DO_VNT MA_LY_DO_VNT CHAN_DOAN_VAO CHAN_DOAN_RV MA_BENH_CHINH MA_BENH_KT "
    "MA_BENH_YHCT MA_PTTT_QT MA_DOITUONG_KCB MA_NOI_DI MA_NOI_DEN MA_TAI_NAN NGAY_VAO NGAY_VAO_NOI_TRU "
    "NGAY_RA GIAY_CHUYEN_TUYEN SO_NGAY_DTRI PP_DIEU_TRI KET_QUA_DTRI MA_LOAI_RV GHI_CHU NGAY_TTOAN "
    "T_THUOC T_VTYT T_TONGCHI_BV T_TONGCHI_BH T_BNTT T_BNCCT T_BHTT T_NGUONKHAC T_BHTT_GDV NAM_QT "
    "THANG_QT MA_LOAI_KCB MA_KHOA MA_CSKCB MA_KHUVUC CAN_NANG CAN_NANG_CON NAM_NAM_LIEN_TUC NGAY_TAI_KHAM "
    "MA_HSBA MA_TTDV DU_PHONG"
)
XML2 = (
    "MA_LK STT MA_THUOC MA_PP_CHEBIEN MA_CSKCB_THUOC MA_NHOM TEN_THUOC DON_VI_TINH HAM_LUONG DUONG_DUNG "
    "DANG_BAO_CHE LIEU_DUNG CACH_DUNG SO_DANG_KY TT_THAU PHAM_VI TYLE_TT_BH SO_LUONG DON_GIA "
    "THANH_TIEN_BV THANH_TIEN_BH T_NGUONKHAC_NSNN T_NGUONKHAC_VTNN T_NGUONKHAC_VTTN T_NGUONKHAC_CL "
    "T_NGUONKHAC MUC_HUONG T_BHTT T_BNCCT T_BNTT MA_KHOA MA_BAC_SI MA_DICH_VU NGAY_YL NGAY_TH_YL MA_PTTT "
    "NGUON_CTRA VET_THUONG_TP DU_PHONG"
)
XML3 = (
    "MA_LK STT MA_DICH_VU MA_PTTT_QT MA_VAT_TU MA_NHOM GOI_VTYT TEN_VAT_TU TEN_DICH_VU MA_XANG_DAU "
    "DON_VI_TINH PHAM_VI SO_LUONG DON_GIA_BV DON_GIA_BH TT_THAU TYLE_TT_DV TYLE_TT_BH THANH_TIEN_BV "
    "THANH_TIEN_BH T_TRANTT MUC_HUONG T_NGUONKHAC_NSNN T_NGUONKHAC_VTNN T_NGUONKHAC_VTTN T_NGUONKHAC_CL "
    "T_NGUONKHAC T_BHTT T_BNTT T_BNCCT MA_KHOA MA_GIUONG MA_BAC_SI NGUOI_THUC_HIEN MA_BENH MA_BENH_YHCT "
    "NGAY_YL NGAY_TH_YL NGAY_KQ MA_PTTT VET_THUONG_TP PP_VO_CAM VI_TRI_TH_DVKT MA_MAY MA_HIEU_SP "
    "TAI_SU_DUNG DU_PHONG"
)
XML4 = (
    "MA_LK STT MA_DICH_VU MA_CHI_SO TEN_CHI_SO GIA_TRI DON_VI_DO MO_TA KET_LUAN NGAY_KQ MA_BS_DOC_KQ DU_PHONG"
)
XML5 = "MA_LK STT DIEN_BIEN_LS GIAI_DOAN_BENH HOI_CHAN PHAU_THUAT THOI_DIEM_DBLS NGUOI_THUC_HIEN DU_PHONG"
XML14 = (
    "MA_LK SO_GIAYHEN_KL MA_CSKCB HO_TEN NGAY_SINH GIOI_TINH DIA_CHI MA_THE_BHYT GT_THE_DEN NGAY_VAO "
    "NGAY_VAO_NOI_TRU NGAY_RA NGAY_HEN_KL CHAN_DOAN_RV MA_BENH_CHINH MA_BENH_KT MA_BENH_YHCT "
    "MA_DOITUONG_KCB MA_BAC_SI MA_TTDV NGAY_CT DU_PHONG"
)


def treatment_package(person: DemoPerson, facility: DemoFacility, today: date, years: int = 6) -> bytes:
    """One GIAMDINHHS file: all visits of the person's story at the facility, one HOSO each."""
    story, random = STORIES[person.story], Random(f"{person.key}/{facility.key}/packages")
    first = max(person.born + timedelta(days=1), today - timedelta(days=years * 365))
    days, day = [], first
    while day < today:
        days.append(day)
        day += timedelta(days=story.every_days + random.randint(-5, 5))
    episodes = [_episode(person, facility, story, visit, random, last=visit == days[-1]) for visit in days]
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<GIAMDINHHS>'
        f"<THONGTINDONVI><MACSKCB>{facility.code}</MACSKCB></THONGTINDONVI>"
        f"<THONGTINHOSO><NGAYLAP>{today:%Y%m%d}</NGAYLAP><SOLUONGHOSO>{len(episodes)}</SOLUONGHOSO>"
        f"<DANHSACHHOSO>{''.join(episodes)}</DANHSACHHOSO></THONGTINHOSO><CHUKYDONVI/></GIAMDINHHS>"
    ).encode()


def _episode(
    person: DemoPerson, facility: DemoFacility, story: DemoStory, day: date, random: Random, *, last: bool
) -> str:
    begin = datetime.combine(day, time(8, random.randint(0, 59)), VIETNAM)
    if day == person.born + timedelta(days=1):
        begin = begin.replace(hour=14)
    link = f"DEMO{day:%y%m%d}.{person.key}"
    common = _summary(person, facility, story, begin)
    files = {
        "XML1": f"<TONG_HOP>{_fields(XML1, {'MA_LK': link, 'STT': '1', **common})}</TONG_HOP>",
        "XML2": _list("CHITIEU_CHITIET_THUOC", "DSACH_CHI_TIET_THUOC", "CHI_TIET_THUOC", XML2, link,
                      [_medicine(key, story, begin) for key in story.drugs]),
        "XML3": _list("CHITIEU_CHITIET_DVKT_VTYT", "DSACH_CHI_TIET_DVKT", "CHI_TIET_DVKT", XML3, link,
                      _services(story, begin)),
        "XML4": _list("CHITIEU_CHITIET_DICHVUCANLAMSANG", "DSACH_CHI_TIET_CLS", "CHI_TIET_CLS", XML4, link,
                      [_result(key, begin, random) for key in story.labs]),
        "XML5": _list("CHITIEU_CHITIET_DIENBIENLAMSANG", "DSACH_CHI_TIET_DIEN_BIEN_BENH",
                      "CHI_TIET_DIEN_BIEN_BENH", XML5, link, [_course(story, begin, random)]),
    }  # fmt: skip
    if "NGAY_TAI_KHAM" in common:
        body = {"MA_LK": link, "SO_GIAYHEN_KL": f"GH-{day:%y%m%d}", **common, "NGAY_CT": f"{day:%Y%m%d}"}
        body["NGAY_HEN_KL"] = common["NGAY_TAI_KHAM"] + "0800"
        files["XML14"] = f"<CHI_TIEU_GIAYHEN_KHAMLAI>{_fields(XML14, body)}</CHI_TIEU_GIAYHEN_KHAMLAI>"
    letter = letter_of(person, facility, day, {"MA_LK": link, **common}) if last else None
    if letter is not None:
        files["XML13"] = f"<CHI_TIEU_GIAYCHUYENTUYEN>{_fields(XML13, letter)}</CHI_TIEU_GIAYCHUYENTUYEN>"
    return "<HOSO>" + "".join(_file(kind, content) for kind, content in files.items()) + "</HOSO>"


def _summary(person: DemoPerson, facility: DemoFacility, story: DemoStory, begin: datetime) -> dict[str, str]:
    """What XML1 and XML14 share: who, card, diagnosis, times, outcome, advice."""
    values = {
        "MA_BN": f"BN-{facility.code}-{person.key}",
        "HO_TEN": person.name,
        "SO_CCCD": person.number or "",
        "NGAY_SINH": birth_text(person),
        "GIOI_TINH": "1" if person.sex == "male" else "2",
        "NHOM_MAU": person.blood_group,
        "MA_QUOCTICH": "000",
        "MA_DANTOC": person.ethnic_group,
        "MA_NGHE_NGHIEP": "00000",
        "DIA_CHI": person.address,
        "DIEN_THOAI": person.phone or "",
        "MA_THE_BHYT": person.insurance_card or "",
        "LY_DO_VV": story.reason,
        "CHAN_DOAN_VAO": story.main[1],
        "CHAN_DOAN_RV": "; ".join(name for _, name in (story.main, *story.comorbid)),
        "MA_BENH_CHINH": story.main[0],
        "MA_BENH_KT": ";".join(code for code, _ in story.comorbid),
        "MA_DOITUONG_KCB": "1.1",
        "NGAY_VAO": f"{begin:%Y%m%d%H%M}",
        "NGAY_RA": f"{begin + timedelta(minutes=95):%Y%m%d%H%M}",
        "SO_NGAY_DTRI": "0",
        "PP_DIEU_TRI": story.plan,
        "KET_QUA_DTRI": "2",
        "MA_LOAI_RV": "1",
        "GHI_CHU": story.advice,
        "MA_LOAI_KCB": "01",
        "MA_KHOA": "K01",
        "MA_CSKCB": facility.code,
        "MA_BAC_SI": "000101/DEMO-CCHN",
        **sums_of(person, begin.date()),
        **card_of(person, facility, begin.date()),
    }
    if story.every_days <= 120:
        values["NGAY_TAI_KHAM"] = f"{begin + timedelta(days=story.every_days):%Y%m%d}"
    return values


def birth_text(person: DemoPerson) -> str:
    """NGAY_SINH: yyyyMMddHHmm, 0000 for an unknown day and month; a newborn's carries the hour."""
    if len(person.birth_date) == 4:
        return person.birth_date + "00000000"
    return person.birth_date.replace("-", "") + ("0000" if person.number else "1432")


def _medicine(key: str, story: DemoStory, begin: datetime) -> dict[str, str]:
    drug = DRUGS[key]
    return {
        "MA_THUOC": drug.code,
        "MA_NHOM": "4",
        "TEN_THUOC": drug.name,
        "DON_VI_TINH": drug.unit,
        "HAM_LUONG": drug.strength,
        "DUONG_DUNG": "1.01",
        "LIEU_DUNG": drug.dose_text(story.days_supply),
        "CACH_DUNG": drug.advice,
        "SO_DANG_KY": f"VD-{sorted(DRUGS).index(key):05d}-00",
        "SO_LUONG": str(drug.quantity(story.days_supply)),
        "MA_BAC_SI": "000101/DEMO-CCHN",
        "NGAY_YL": f"{begin + timedelta(minutes=80):%Y%m%d%H%M}",
        "NGUON_CTRA": "1",
    }


def _services(story: DemoStory, begin: datetime) -> list[dict[str, str]]:
    names = [("02.1896", "Khám nội")]
    if story.imaging is not None:
        names.append(("18.0015.0001", story.imaging[0]))
    ordered = f"{begin + timedelta(minutes=10):%Y%m%d%H%M}"
    return [
        {"MA_DICH_VU": code, "MA_NHOM": "13", "TEN_DICH_VU": name, "SO_LUONG": "1", "NGAY_YL": ordered}
        for code, name in names
    ]


def _result(key: str, begin: datetime, random: Random) -> dict[str, str]:
    lab = LABS[key]
    value = max(lab.usual / 2, random.gauss(lab.usual, lab.spread))
    return {
        "MA_DICH_VU": lab.service,
        "TEN_CHI_SO": lab.name,
        "GIA_TRI": f"{value:.{lab.decimals}f}".replace(".", ","),
        "DON_VI_DO": lab.unit,
        "NGAY_KQ": f"{begin + timedelta(minutes=55):%Y%m%d%H%M}",
    }


def _course(story: DemoStory, begin: datetime, random: Random) -> dict[str, str]:
    """The clinical course with vital signs in the CSST form of vietnam.md (top, point 5)."""
    systolic, diastolic = (round(random.gauss(usual, 6)) for usual in story.blood_pressure)
    pulse = random.randint(64, 92)
    signs = f"CSST<M{pulse}_T37_HA{systolic}/{diastolic}_NT18_SP98_HL2>"
    text = f"Tỉnh, tiếp xúc tốt. {story.reason}. {signs}"
    return {"DIEN_BIEN_LS": text, "THOI_DIEM_DBLS": f"{begin + timedelta(minutes=5):%Y%m%d%H%M}"}


def _list(root: str, container: str, row: str, names: str, link: str, rows: list[dict[str, str]]) -> str:
    body = "".join(
        f"<{row}>{_fields(names, {'MA_LK': link, 'STT': str(number), **values})}</{row}>"
        for number, values in enumerate(rows, start=1)
    )
    return f"<{root}><{container}>{body}</{container}></{root}>"


def _fields(names: str, values: dict[str, str]) -> str:
    return "".join(f"<{name}>{escape(values.get(name, ''))}</{name}>" for name in names.split())


def _file(kind: str, content: str) -> str:
    encoded = base64.b64encode(b'<?xml version="1.0" encoding="utf-8"?>\n' + content.encode()).decode()
    return f"<FILEHOSO><LOAIHOSO>{kind}</LOAIHOSO><NOIDUNGFILE>{encoded}</NOIDUNGFILE></FILEHOSO>"
