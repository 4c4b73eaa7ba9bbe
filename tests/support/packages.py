"""SYNTHETIC treatment packages of every version and table: every person, number and disease is invented.

Fields come from the published dictionaries (../shared/data/vietnam); the values are ours. Packages of
QĐ 4210, XML0, 3, 7–12 and 15 exist nowhere else. What QĐ 4210 calls its fields is partly unconfirmed.
"""

import base64
import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final
from xml.sax.saxutils import escape

from ehr.intake.xml_tables import TABLES
from tests.support.shared import shared

VERSIONS: Final = ("4210", "130", "4750", "3176")
FACILITY: Final = "79001"
MARK: Final = "SYNTHETIC: every person in this file is invented"

# A row of each table; every field has a value, so that each can be changed and seen.
COMMON: Final[dict[str, str]] = {
    "MA_LK": "SYN.0001",
    "STT": "1",
    "MA_BN": "SYNBN1",
    "HO_TEN": "Trần Thị Giả Định",
    "SO_CCCD": "079190000017",
    "NGAY_SINH": "199003050000",
    "GIOI_TINH": "2",
    "NHOM_MAU": "O+",
    "MA_QUOCTICH": "000",
    "MA_DANTOC": "01",
    "MA_NGHE_NGHIEP": "23211",
    "NGHE_NGHIEP": "Giáo viên",
    "DIA_CHI": "Thôn Giả Định, xã Ví Dụ",
    "NOI_CU_TRU_NND": "Thôn Giả Định, xã Ví Dụ",
    "DIEN_THOAI": "0903000017",
    "MA_THE_BHYT": "GD4797900000017",
    "MA_BHXH": "7900000017",
    "MA_DKBD": "79001",
    "GT_THE_TU": "20260101",
    "GT_THE_DEN": "20261231",
    "NGAY_MIEN_CCT": "20260601",
    "NAM_NAM_LIEN_TUC": "20240101",
    "MA_KHUVUC": "K1",
    "LY_DO_VV": "Đau bụng",
    "LY_DO_VNT": "Theo dõi",
    "MA_LY_DO_VNT": "L01",
    "CHAN_DOAN_VAO": "Đau bụng chưa rõ",
    "CHAN_DOAN_RV": "Viêm dạ dày; Tăng huyết áp",
    "MA_BENH_CHINH": "K29.7",
    "MA_BENH_KT": "I10",
    "MA_BENH_YHCT": "U50.001",
    "MA_BENH": "K29.7",
    "MA_PTTT_QT": "45.13",
    "MA_DOITUONG_KCB": "1.1",
    "MA_NOI_DI": "79002",
    "MA_NOI_DEN": "79024",
    "MA_CSKCB_DI": "79002",
    "MA_CSKCB_DEN": "79024",
    "MA_TAI_NAN": "3",
    "NGAY_VAO": "202603020815",
    "NGAY_VAO_NOI_TRU": "202603020900",
    "NGAY_RA": "202603081000",
    "GIAY_CHUYEN_TUYEN": "GCT-17",
    "SO_NGAY_DTRI": "6",
    "PP_DIEU_TRI": "Nội khoa",
    "PP_DIEUTRI": "Nội khoa",
    "KET_QUA_DTRI": "2",
    "MA_LOAI_RV": "1",
    "GHI_CHU": "Ăn nhạt",
    "MA_LOAI_KCB": "03",
    "MA_KHOA": "K01",
    "MA_KHOA_RV": "K01",
    "MA_CSKCB": FACILITY,
    "CAN_NANG": "58.50",
    "CAN_NANG_CON": "3100",
    "NGAY_TAI_KHAM": "20260501",
    "MA_HSBA": "HS-17",
    "MA_THUOC": "40.491",
    "MA_PP_CHEBIEN": "CB1",
    "TEN_THUOC": "Thuốc Giả Định",
    "DON_VI_TINH": "Viên",
    "HAM_LUONG": "5mg",
    "DUONG_DUNG": "1.01",
    "DANG_BAO_CHE": "Viên nén",
    "LIEU_DUNG": "1 viên/lần * 2 lần/ngày * 5 ngày [2 viên/ngày]",
    "CACH_DUNG": "Sau ăn",
    "SO_DANG_KY": "VD-1",
    "SO_LUONG": "10",
    "MA_BAC_SI": "000017/HCM-CCHN",
    "NGUOI_THUC_HIEN": "000018/HCM-CCHN",
    "MA_DICH_VU": "02.0085.1778",
    "TEN_DICH_VU": "Nội soi giả định",
    "NGAY_YL": "202603020930",
    "NGAY_TH_YL": "202603021000",
    "NGAY_KQ": "202603021100",
    "NGUON_CTRA": "1",
    "MA_NHOM": "8",
    "PP_VO_CAM": "2",
    "VI_TRI_TH_DVKT": "11",
    "MA_MAY": "SA.1",
    "MA_VAT_TU": "N01",
    "TEN_VAT_TU": "Gạc",
    "MA_CHI_SO": "CS1",
    "TEN_CHI_SO": "Glucose",
    "GIA_TRI": "7,20",
    "DON_VI_DO": "mmol/L",
    "MO_TA": "Mẫu đạt",
    "KET_LUAN": "Cao",
    "MA_BS_DOC_KQ": "000019/HCM-CCHN",
    "DIEN_BIEN_LS": "Tỉnh CSST<M75_T37,5_HA120/70_NT18_SP97_HL2>",
    "GIAI_DOAN_BENH": "Giai đoạn 1",
    "HOI_CHAN": "Hội chẩn khoa",
    "PHAU_THUAT": "Không",
    "THOI_DIEM_DBLS": "202603030800",
    "SO_LUU_TRU": "LT-17",
    "MA_DINH_CHI_THAI": "0",
    "NGUYENNHAN_DINHCHI": "Không có",
    "THOIGIAN_DINHCHI": "202603030900",
    "TUOI_THAI": "20",
    "TEN_BS": "BS. Giả Định",
    "NGAY_CT": "20260308",
    "SO_NGAY_NGHI": "5",
    "SO_NGAY": "5",
    "NGOAITRU_TUNGAY": "20260308",
    "NGOAITRU_DENNGAY": "20260312",
    "DON_VI": "Trường Ví Dụ",
    "QT_BENHLY": "Diễn biến ổn",
    "TOMTAT_KQ": "Xét nghiệm ổn",
    "NGAY_SINHCON": "20260305",
    "NGAY_CONCHET": "20260306",
    "SO_CONCHET": "1",
    "TU_NGAY": "20260308",
    "DEN_NGAY": "20260312",
    "SO_SERI": "SR-17",
    "SO_CT": "CT-17",
    "SO_KCB": "KCB-17",
    "MAU_SO": "CT07",
    "SO_CCCD_NND": "079190000017",
    "HO_TEN_NND": "Trần Thị Giả Định",
    "NGAYSINH_NND": "19900305",
    "MA_THE_TAM": "TE1797900000017",
    "HO_TEN_CON": "Bé Giả Định",
    "GIOI_TINH_CON": "1",
    "SO_CON": "1",
    "LAN_SINH": "1",
    "SO_CON_SONG": "1",
    "NGAY_SINH_CON": "202603051432",
    "NOI_SINH_CON": "Bệnh viện Ví Dụ",
    "TINH_TRANG_CON": "Khỏe mạnh",
    "SINHCON_PHAUTHUAT": "0",
    "SINHCON_DUOI32TUAN": "0",
    "SO": "GCS-17",
    "QUYEN_SO": "Q1",
    "NGAY_HOP": "20260310",
    "MA_DOI_TUONG": "BNN",
    "KHAM_GIAM_DINH": "1",
    "SO_BIEN_BAN": "BB-17",
    "NGAY_CHUNG_TU": "20260311",
    "NGAY_DE_NGHI": "20260301",
    "KET_QUA_KHAM": "Suy giảm",
    "SO_HOSO": "HS-99",
    "SO_CHUYENTUYEN": "CTU-17",
    "DAU_HIEU_LS": "Ổn định",
    "TINH_TRANG_CT": "Tỉnh",
    "MA_LYDO_CT": "1",
    "HUONG_DIEU_TRI": "Theo dõi tiếp",
    "PHUONGTIEN_VC": "Xe cứu thương",
    "CHUCDANH_NGUOI_HT": "Điều dưỡng",
    "SO_GIAYHEN_KL": "GH-17",
    "NGAY_HEN_KL": "202604010800",
    "PHANLOAI_LAO_VITRI": "1",
    "PHANLOAI_LAO_TS": "1",
    "PHANLOAI_LAO_HIV": "2",
    "PHANLOAI_LAO_VK": "1",
    "PHANLOAI_LAO_KT": "1",
    "LOAI_DTRI_LAO": "2",
    "NGAYBD_DTRI_LAO": "20260302",
    "PHACDO_DTRI_LAO": "1",
    "NGAYKT_DTRI_LAO": "20260902",
    "KET_QUA_DTRI_LAO": "1",
    "NGAYKD_HIV": "20250101",
    "BDDT_ARV": "20250102",
    "NGAY_BAT_DAU_DT_CTX": "20250103",
}
BY_TABLE: Final[dict[str, dict[str, str]]] = {
    "XML12": {"NGAY_SINH": "19900305", "SO_CCCD": "079190000017"},
    "XML13": {"MA_LOAI_RV": "2"},
    "XML0": {"MA_LOAI_KCB": "01"},
    "XML4": {"MA_DICH_VU": "23.0075.1494", "NGAY_KQ": "202603030700"},
}
# Further rows of a table beside its first.
MORE: Final[dict[str, list[dict[str, str]]]] = {
    "XML3": [
        {"STT": "2", "MA_NHOM": "1", "MA_DICH_VU": "23.0075.1494", "TEN_DICH_VU": "Định lượng Glucose"},
        {"STT": "3", "MA_DICH_VU": "", "TEN_DICH_VU": "", "MA_NHOM": "10"},
    ],
}
# QĐ 4210: lists of our own making from vietnam.md §4 and today's names (partly unconfirmed).
OLD_FIELDS: Final[dict[str, str]] = {
    "XML1": "MA_LK STT MA_BN HO_TEN NGAY_SINH GIOI_TINH DIA_CHI MA_THE MA_DKBD GT_THE_TU GT_THE_DEN "
    "MIEN_CUNG_CT TEN_BENH MA_BENH MA_BENHKHAC MA_LYDO_VVIEN MA_NOI_CHUYEN MA_TAI_NAN NGAY_VAO "
    "NGAY_RA SO_NGAY_DTRI KET_QUA_DTRI TINH_TRANG_RV NGAY_TTOAN T_THUOC T_VTYT T_TONGCHI T_BNTT "
    "T_BNCCT T_BHTT T_NGUONKHAC T_NGOAIDS NAM_QT THANG_QT MA_LOAI_KCB MA_KHOA MA_CSKCB MA_KHUVUC "
    "MA_PTTT_QT CAN_NANG",
    "XML2": "MA_LK STT MA_THUOC MA_NHOM TEN_THUOC DON_VI_TINH HAM_LUONG DUONG_DUNG LIEU_DUNG SO_DANG_KY "
    "TT_THAU PHAM_VI TYLE_TT SO_LUONG DON_GIA THANH_TIEN MUC_HUONG T_NGUONKHAC T_BNTT T_BHTT T_BNCCT "
    "T_NGOAIDS MA_KHOA MA_BAC_SI MA_BENH NGAY_YL MA_PTTT",
    "XML3": "MA_LK STT MA_DICH_VU MA_VAT_TU MA_NHOM GOI_VTYT TEN_VAT_TU TEN_DICH_VU DON_VI_TINH PHAM_VI "
    "SO_LUONG DON_GIA TT_THAU TYLE_TT THANH_TIEN T_TRANTT MUC_HUONG T_NGUONKHAC T_BNTT T_BHTT T_BNCCT "
    "T_NGOAIDS MA_KHOA MA_GIUONG MA_BAC_SI MA_BENH NGAY_YL NGAY_KQ MA_PTTT",
    "XML4": "MA_LK STT MA_DICH_VU MA_CHI_SO TEN_CHI_SO GIA_TRI MA_MAY MO_TA KET_LUAN NGAY_KQ",
    "XML5": "MA_LK STT DIEN_BIEN HOI_CHAN PHAU_THUAT NGAY_YL",
}
OLD_VALUES: Final[dict[str, str]] = {
    "MA_THE": "GD4797900000017",
    "MIEN_CUNG_CT": "20260601",
    "TEN_BENH": "Viêm dạ dày; Tăng huyết áp",
    "MA_BENHKHAC": "I10",
    "MA_NOI_CHUYEN": "79002",
    "TINH_TRANG_RV": "1",
    "DIEN_BIEN": "Tỉnh CSST<M75_T37,5>",
    "NGAY_SINH": "19900305",
    "MA_LOAI_KCB": "3",
}


@cache
def fields(version: str) -> dict[str, list[str]]:
    """Table → its fields in order. XML6 is in no answer: its content never comes in."""
    if version == "4210":
        return {table: names.split() for table, names in OLD_FIELDS.items()}
    folder = shared("data/vietnam")
    told = json.loads((folder / "qd4750_dictionary.json").read_text("utf-8"))["tables"]
    made = {table: [field["name"] for field in one["fields"]] for table, one in told.items()}
    if version in ("130", "3176"):
        variants = json.loads((folder / "xml_fields_130_vs_3176.json").read_text("utf-8"))["variants"]
        made |= variants[version]
    return {table: names for table, names in made.items() if table != "XML6"}


def values(version: str, table: str) -> dict[str, str]:
    """A whole row of the table in that version."""
    told = COMMON | BY_TABLE.get(table, {}) | (OLD_VALUES if version == "4210" else {})
    return {name: told.get(name, "1") for name in fields(version)[table]}


def tables_of(
    version: str, names: Iterable[str] | None = None, change: Mapping[str, Mapping[str, str]] | None = None
) -> dict[str, list[dict[str, str]]]:
    """Rows by table. change: table → fields to set in each of its rows that says something there."""
    chosen = list(names) if names is not None else [name for name in fields(version) if name != "XML0"]
    made: dict[str, list[dict[str, str]]] = {}
    for table in chosen:
        first = values(version, table)
        rows = [
            first,
            *(first | {k: v for k, v in more.items() if k in first} for more in MORE.get(table, [])),
        ]
        wanted = (change or {}).get(table, {})
        made[table] = [
            row | {name: text for name, text in wanted.items() if row.get(name, "-")} for row in rows
        ]
    return made


def package(
    tables: Mapping[str, list[dict[str, str]]],
    *,
    old: bool = False,
    plain: bool = False,
    cdata: bool = False,
    facility: str = FACILITY,
) -> bytes:
    """A file of one HOSO."""
    files = "".join(_file(table, rows, old, plain, cdata) for table, rows in tables.items())
    return envelope(f"<HOSO>{files}</HOSO>", facility)


def envelope(inner: str, facility: str = FACILITY) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><!-- {MARK} --><GIAMDINHHS><THONGTINDONVI><MACSKCB>{facility}'
        "</MACSKCB></THONGTINDONVI><THONGTINHOSO><NGAYLAP>20260312</NGAYLAP><SOLUONGHOSO>1</SOLUONGHOSO>"
        f"<DANHSACHHOSO>{inner}</DANHSACHHOSO></THONGTINHOSO><CHUKYDONVI/></GIAMDINHHS>"
    ).encode()


def _file(table: str, rows: list[dict[str, str]], old: bool, plain: bool, cdata: bool) -> str:
    text = table_text(table, rows, old=old, cdata=cdata)
    content = text if plain else base64.b64encode(text.encode()).decode()
    return f"<FILEHOSO><LOAIHOSO>{table}</LOAIHOSO><NOIDUNGFILE>{content}</NOIDUNGFILE></FILEHOSO>"


def table_text(table: str, rows: list[dict[str, str]], *, old: bool = False, cdata: bool = False) -> str:
    path: tuple[str, ...] = TABLES[table]
    if len(path) == 1:
        return "".join(_element(path[0], row, cdata) for row in rows[:1])
    inner = "".join(_element(path[2], row, cdata) for row in rows)
    listed = f"<{path[1]}>{inner}</{path[1]}>"
    return listed if old else f"<{path[0]}>{listed}</{path[0]}>"


def _element(name: str, row: Mapping[str, Any], cdata: bool) -> str:
    def text(value: str) -> str:
        return f"<![CDATA[{value}]]>" if cdata and value else escape(value)

    return f"<{name}>" + "".join(f"<{key}>{text(value)}</{key}>" for key, value in row.items()) + f"</{name}>"
