"""SYNTHETIC treatment packages (QĐ 3176) of invented people: visits with all that goes with one."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Final

BEGIN: Final = datetime(2026, 1, 5, 1, tzinfo=UTC)
MEDICINES: Final = 6
SERVICES: Final = 8
RESULTS: Final = 12
NOTES: Final = 3
_MONEY: Final = (  # noqa: SIM905 - forty quoted names are no easier to read
    "TT_THAU PHAM_VI TYLE_TT_BH DON_GIA THANH_TIEN_BV THANH_TIEN_BH T_NGUONKHAC_NSNN T_NGUONKHAC_VTNN"
    " T_NGUONKHAC_VTTN T_NGUONKHAC_CL T_NGUONKHAC MUC_HUONG T_BHTT T_BNCCT T_BNTT MA_PTTT VET_THUONG_TP"
    " DU_PHONG"
).split()
_SUMMARY_MONEY: Final = (  # noqa: SIM905 - forty quoted names are no easier to read
    "NGAY_TTOAN T_THUOC T_VTYT T_TONGCHI_BV T_TONGCHI_BH T_BNTT T_BNCCT T_BHTT T_NGUONKHAC T_BHTT_GDV NAM_QT"
    " THANG_QT MA_TTDV DU_PHONG NGAY_MIEN_CCT LY_DO_VNT MA_LY_DO_VNT MA_BENH_YHCT MA_PTTT_QT MA_NOI_DI"
    " MA_NOI_DEN"
).split()
_DRUGS: Final = (
    "Amlodipin",
    "Metformin",
    "Atorvastatin",
    "Paracetamol",
    "Omeprazol",
    "Losartan",
    "Cetirizin",
)
_TESTS: Final = ("Glucose", "Urê", "Creatinin", "AST", "ALT", "Cholesterol", "Triglycerid", "HbA1c", "Natri")


def package(first: int, count: int, facility_code: str) -> bytes:
    """A file of `count` visits of people number `first` and on."""
    visits = "".join(_visit(number, facility_code) for number in range(first, first + count))
    return (
        f'<?xml version="1.0" encoding="utf-8"?><GIAMDINHHS><THONGTINDONVI><MACSKCB>{facility_code}</MACSKCB>'
        f"</THONGTINDONVI><THONGTINHOSO><SOLUONGHOSO>{count}</SOLUONGHOSO><DANHSACHHOSO>{visits}</DANHSACHHOSO>"
        "</THONGTINHOSO><CHUKYDONVI/></GIAMDINHHS>"
    ).encode()


def _visit(number: int, facility_code: str) -> str:
    ma_lk, begin = f"BENCH.{number:07d}", BEGIN + timedelta(hours=number % 4000)
    at = [f"{begin + timedelta(minutes=20 * step):%Y%m%d%H%M}" for step in range(4)]
    medicines = "".join(_medicine(ma_lk, at[2], row) for row in range(MEDICINES))
    services = "".join(_service(ma_lk, at[1], row) for row in range(SERVICES))
    results = "".join(_result(ma_lk, at[2], row) for row in range(RESULTS))
    notes = "".join(_note(ma_lk, at[row], row) for row in range(NOTES))
    return (
        "<HOSO>"
        + "".join(
            _file(table, text)
            for table, text in (
                ("XML1", _summary(number, ma_lk, facility_code, at[0], at[3])),
                ("XML2", _list("CHITIEU_CHITIET_THUOC", "DSACH_CHI_TIET_THUOC", medicines)),
                ("XML3", _list("CHITIEU_CHITIET_DVKT_VTYT", "DSACH_CHI_TIET_DVKT", services)),
                ("XML4", _list("CHITIEU_CHITIET_DICHVUCANLAMSANG", "DSACH_CHI_TIET_CLS", results)),
                ("XML5", _list("CHITIEU_CHITIET_DIENBIENLAMSANG", "DSACH_CHI_TIET_DIEN_BIEN_BENH", notes)),
                ("XML14", _letter(ma_lk, at[3])),
            )
        )
        + "</HOSO>"
    )


def _file(table: str, text: str) -> str:
    data = base64.b64encode(text.encode()).decode()
    return f"<FILEHOSO><LOAIHOSO>{table}</LOAIHOSO><NOIDUNGFILE>{data}</NOIDUNGFILE></FILEHOSO>"


def _list(root: str, group: str, rows: str) -> str:
    return f"<{root}><{group}>{rows}</{group}></{root}>"


def _row(name: str, fields: dict[str, str], empty: list[str] | None = None) -> str:
    told = "".join(f"<{key}>{value}</{key}>" for key, value in fields.items())
    return f"<{name}>{told}" + "".join(f"<{key}></{key}>" for key in empty or ()) + f"</{name}>"


def _summary(number: int, ma_lk: str, facility_code: str, start: str, end: str) -> str:
    fields = {
        "MA_LK": ma_lk,
        "STT": "1",
        "MA_BN": f"BN{number:07d}",
        "HO_TEN": f"Nguyễn Thử Nghiệm {number}",
        "SO_CCCD": f"0790{number % 2 + 2}{number:07d}"[:12],
        "NGAY_SINH": f"{1950 + number % 50}0315" + "0000",
        "GIOI_TINH": str(number % 2 + 1),
        "NHOM_MAU": "O+",
        "MA_QUOCTICH": "000",
        "MA_DANTOC": "01",
        "MA_NGHE_NGHIEP": "00000",
        "DIA_CHI": "Thôn Giả Định, xã Ví Dụ, thành phố Hồ Chí Minh",
        "MATINH_CU_TRU": "79",
        "MAXA_CU_TRU": "26734",
        "DIEN_THOAI": "",
        "MA_THE_BHYT": f"GD479{number:010d}",
        "MA_DKBD": facility_code,
        "GT_THE_TU": "20260101",
        "GT_THE_DEN": "20261231",
        "LY_DO_VV": "Khám định kỳ, mệt mỏi",
        "CHAN_DOAN_VAO": "Tăng huyết áp",
        "CHAN_DOAN_RV": "Tăng huyết áp vô căn; Đái tháo đường không phụ thuộc insulin; Rối loạn lipid máu",
        "MA_BENH_CHINH": "I10",
        "MA_BENH_KT": "E11.9;E78.5",
        "MA_DOITUONG_KCB": "1.1",
        "NGAY_VAO": start,
        "NGAY_RA": end,
        "SO_NGAY_DTRI": "1",
        "PP_DIEU_TRI": "Nội khoa, thuốc uống",
        "KET_QUA_DTRI": "2",
        "MA_LOAI_RV": "1",
        "GHI_CHU": "Ăn nhạt, tập thể dục, tái khám đúng hẹn",
        "MA_LOAI_KCB": "01",
        "MA_KHOA": "K01",
        "MA_CSKCB": facility_code,
        "CAN_NANG": "58.50",
        "NGAY_TAI_KHAM": "",
        "MA_HSBA": f"PK-{number:07d}",
    }
    return _row("TONG_HOP", fields, _SUMMARY_MONEY)


def _medicine(ma_lk: str, at: str, row: int) -> str:
    times = row % 3 + 1
    fields = {
        "MA_LK": ma_lk,
        "STT": str(row + 1),
        "MA_THUOC": f"40.{100 + row}",
        "MA_NHOM": "4",
        "TEN_THUOC": f"{_DRUGS[row % len(_DRUGS)]} Thử",
        "DON_VI_TINH": "Viên",
        "HAM_LUONG": f"{5 * (row + 1)}mg",
        "DUONG_DUNG": "1.01",
        "DANG_BAO_CHE": "Viên nén bao phim",
        "LIEU_DUNG": f"1 viên/lần * {times} lần/ngày * 30 ngày [{times} viên/ngày]",
        "CACH_DUNG": "Uống sau ăn",
        "SO_DANG_KY": f"VD-{10000 + row}-20",
        "SO_LUONG": str(30 * times),
        "MA_KHOA": "K01",
        "MA_BAC_SI": "000017/HCM-CCHN",
        "NGAY_YL": at,
        "NGAY_TH_YL": at,
        "NGUON_CTRA": "1",
    }
    return _row("CHI_TIET_THUOC", fields, _MONEY)


def _service(ma_lk: str, at: str, row: int) -> str:
    fields = {
        "MA_LK": ma_lk,
        "STT": str(row + 1),
        "MA_DICH_VU": f"23.{row:04d}.{1400 + row}",
        "MA_NHOM": "1" if row < 6 else "8",
        "TEN_DICH_VU": f"Định lượng {_TESTS[row % len(_TESTS)]} [Máu]",
        "SO_LUONG": "1",
        "MA_KHOA": "K01",
        "MA_BAC_SI": "000017/HCM-CCHN",
        "NGUOI_THUC_HIEN": "000018/HCM-CCHN",
        "MA_BENH": "I10",
        "NGAY_YL": at,
        "NGAY_TH_YL": at,
        "NGAY_KQ": at,
        "MA_MAY": "XN.1.79001.0001",
    }
    return _row("CHI_TIET_DVKT", fields, [*_MONEY, "MA_VAT_TU", "TEN_VAT_TU", "GOI_VTYT", "MA_GIUONG"])


def _result(ma_lk: str, at: str, row: int) -> str:
    fields = {
        "MA_LK": ma_lk,
        "STT": str(row + 1),
        "MA_DICH_VU": f"23.{row % 6:04d}.{1400 + row % 6}",
        "MA_CHI_SO": f"CS{row:04d}",
        "TEN_CHI_SO": f"{_TESTS[row % len(_TESTS)]} {row}",
        "GIA_TRI": f"{row + 4},{row}0",
        "DON_VI_DO": "mmol/L",
        "MO_TA": "",
        "KET_LUAN": "Trong giới hạn" if row % 3 else "",
        "NGAY_KQ": at,
        "MA_BS_DOC_KQ": "000019/HCM-CCHN",
        "DU_PHONG": "",
    }
    return _row("CHI_TIET_CLS", fields)


def _note(ma_lk: str, at: str, row: int) -> str:
    signs = f"CSST&lt;M{70 + row}_T37_HA12{row}/70_NT18_SP97_HL2&gt;"
    fields = {
        "MA_LK": ma_lk,
        "STT": str(row + 1),
        "DIEN_BIEN_LS": f"Tỉnh, tiếp xúc tốt, tim đều, phổi trong {signs}",
        "THOI_DIEM_DBLS": at,
        "NGUOI_THUC_HIEN": "000017/HCM-CCHN",
    }
    return _row("CHI_TIET_DIEN_BIEN_BENH", fields, ["GIAI_DOAN_BENH", "HOI_CHAN", "PHAU_THUAT", "DU_PHONG"])


def _letter(ma_lk: str, at: str) -> str:
    fields = {
        "MA_LK": ma_lk,
        "SO_GIAYHEN_KL": f"GH-{ma_lk}",
        "NGAY_HEN_KL": f"{BEGIN + timedelta(days=400):%Y%m%d%H%M}",
        "NGAY_VAO": at,
        "NGAY_RA": at,
        "CHAN_DOAN_RV": "Tăng huyết áp vô căn",
        "NGAY_CT": at[:8],
    }
    return _row("CHI_TIEU_GIAYHEN_KHAMLAI", fields)
