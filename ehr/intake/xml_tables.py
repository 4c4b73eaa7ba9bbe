"""The tables of a treatment package: where their rows stand, and what QĐ 4210 called their fields."""

from typing import Final

# root / list / row (vietnam.md §4); without a list the root is the row. Files of QĐ 4210 begin at the list.
TABLES: Final[dict[str, tuple[str, ...]]] = {
    "XML0": ("CHECK_IN",),
    "XML1": ("TONG_HOP",),
    "XML2": ("CHITIEU_CHITIET_THUOC", "DSACH_CHI_TIET_THUOC", "CHI_TIET_THUOC"),
    "XML3": ("CHITIEU_CHITIET_DVKT_VTYT", "DSACH_CHI_TIET_DVKT", "CHI_TIET_DVKT"),
    "XML4": ("CHITIEU_CHITIET_DICHVUCANLAMSANG", "DSACH_CHI_TIET_CLS", "CHI_TIET_CLS"),
    "XML5": ("CHITIEU_CHITIET_DIENBIENLAMSANG", "DSACH_CHI_TIET_DIEN_BIEN_BENH", "CHI_TIET_DIEN_BIEN_BENH"),
    "XML7": ("CHI_TIEU_DU_LIEU_GIAY_RA_VIEN",),
    "XML8": ("CHI_TIEU_DU_LIEU_TOM_TAT_HO_SO_BENH_AN",),
    "XML9": ("CHI_TIEU_DU_LIEU_GIAY_CHUNG_SINH", "DSACH_GIAYCHUNGSINH", "DU_LIEU_GIAY_CHUNG_SINH"),
    "XML10": ("CHI_TIEU_DU_LIEU_GIAY_NGHI_DUONG_THAI",),
    "XML11": ("CHI_TIEU_DU_LIEU_GIAY_CHUNG_NHAN_NGHI_VIEC_HUONG_BAO_HIEM_XA_HOI",),
    "XML12": ("CHI_TIEU_DU_LIEU_GIAM_DINH_Y_KHOA",),
    "XML13": ("CHI_TIEU_GIAYCHUYENTUYEN",),
    "XML14": ("CHI_TIEU_GIAYHEN_KHAMLAI",),
    "XML15": ("CHI_TIEU_DIEUTRI_BENHLAO", "DSACH_CHITIET_DIEUTRI_BENHLAO", "CHITIET_DIEUTRI_BENHLAO"),
}

# XML12 is no part of a visit and carries no MA_LK.
TABLES_OF_EPISODE: Final = frozenset(TABLES) - {"XML12"}

# What waits for its visit's summary when it comes without. A birth note stands in the child's own book.
TABLES_APART: Final = (
    *("XML2", "XML3", "XML5", "XML7", "XML8", "XML10", "XML11", "XML13", "XML15"),
    *("XML4", "XML14"),
)

# No published file shows the roots of these: any root is taken, rows directly in it or in one list.
FREE_ROOTS: Final = frozenset({"XML0", "XML10", "XML12"})

# HIV information beside tuberculosis is left behind before anything else is read (vietnam.md §5).
NEVER_READ: Final[dict[str, frozenset[str]]] = {
    "XML15": frozenset({"PHANLOAI_LAO_HIV", "NGAYKD_HIV", "BDDT_ARV", "NGAY_BAT_DAU_DT_CTX"}),
}

# QĐ 4210/2017 → the name since QĐ 130 (the names of 4210 beyond XML4 NGAY_KQ and XML5 are unconfirmed).
OLD_NAMES: Final[dict[str, dict[str, str]]] = {
    "XML1": {
        "MA_THE": "MA_THE_BHYT",
        "MIEN_CUNG_CT": "NGAY_MIEN_CCT",
        "TEN_BENH": "CHAN_DOAN_RV",
        "MA_BENH": "MA_BENH_CHINH",
        "MA_BENHKHAC": "MA_BENH_KT",
        "MA_NOI_CHUYEN": "MA_NOI_DI",
        "TINH_TRANG_RV": "MA_LOAI_RV",
    },
    "XML5": {"DIEN_BIEN": "DIEN_BIEN_LS", "NGAY_YL": "THOI_DIEM_DBLS"},
}

# Beside the fields of a row that came with 4210's names.
OLD_FILE: Final = "(4210)"
