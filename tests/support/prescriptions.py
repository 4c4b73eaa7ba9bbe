"""Made-up e-prescriptions. The field names are those of public clients of the national API: a stand-in."""

import secrets
from typing import Any

from healthbook.demo_sheet import DemoCitizen
from tests.support.people import Citizen

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
ISSUED = "2026-11-21 08:15:00"
# Two medicines: one a day for thirty days, and one twice a day for five.
DRUGS: list[dict[str, Any]] = [
    {
        "ma_thuoc": "40.512",
        "biet_duoc": "Amlor",
        "ten_thuoc": "Amlodipin 5 mg",
        "don_vi_tinh": "viên",
        "so_luong": 30,
        "cach_dung": "1 viên/lần * 1 lần/ngày * 30 ngày [1 viên/ngày]",
    },
    {
        "ma_thuoc": "40.171",
        "biet_duoc": "",
        "ten_thuoc": "Paracetamol 500 mg",
        "don_vi_tinh": "viên",
        "so_luong": "10",
        "cach_dung": "1 viên/lần * 2 lần/ngày * 5 ngày [2 viên/ngày]",
    },
]


def new_code(facility_code: str, kind: str = "c") -> str:
    return f"{facility_code}{''.join(secrets.choice(ALPHABET) for _ in range(7))}-{kind}".lower()


def national(citizen: Citizen | DemoCitizen, code: str, **more: Any) -> dict[str, Any]:
    """The national JSON of a prescription for this person."""
    return {
        "loai_don_thuoc": code[-1],
        "ma_don_thuoc": code,
        "ho_ten_benh_nhan": citizen.name,
        "ma_dinh_danh_y_te": "",
        "ma_dinh_danh_cong_dan": citizen.number,
        "ngay_sinh_benh_nhan": "/".join(reversed(citizen.birth_date.split("-"))),
        "can_nang": "52",
        "gioi_tinh": 3 if citizen.sex == "female" else 2,
        "ma_so_the_bao_hiem_y_te": "",
        "thong_tin_nguoi_giam_ho": "",
        "dia_chi": "",
        "chan_doan": [{"ma_chan_doan": "I10", "ten_chan_doan": "Tăng huyết áp", "ket_luan": ""}],
        "luu_y": "",
        "dot_dung_thuoc": None,
        "thong_tin_don_thuoc": DRUGS,
        "loi_dan": "Ăn nhạt.",
        "ngay_tai_kham": "2026-12-20",
        "ngay_gio_ke_don": ISSUED,
        "signature": "not kept",
    } | more
