"""Why a line of a file of facilities is refused, in words: what stands there, and what is allowed."""

from typing import Any, Final

# In Vietnamese and in English.
_COLUMNS: Final[dict[str, tuple[str, str]]] = {
    "code": ("2 chữ số rồi 3 chữ số hoặc chữ in hoa", "2 digits, then 3 digits or capitals"),
    "code_13": ("13 chữ số", "13 digits"),
    "name": ("1 đến 200 ký tự", "1 to 200 characters"),
    "short_name": ("1 đến 20 ký tự không dấu", "1 to 20 characters without tone marks (ASCII)"),
    "discreet_name": ("1 đến 60 ký tự, không lộ chuyên khoa", "1 to 60 characters that tell of no specialty"),
    "address": ("1 đến 300 ký tự", "1 to 300 characters"),
    "commune_code": ("1 đến 12 chữ số, chữ in hoa, gạch nối", "1 to 12 digits, capitals or dashes"),
    "former_commune_code": ("1 đến 12 chữ số, chữ in hoa, gạch nối", "1 to 12 digits, capitals or dashes"),
    "latitude": ("số từ -85 đến 85, cùng với kinh độ", "a number from -85 to 85, with a longitude"),
    "longitude": ("số từ -180 đến 180, cùng với vĩ độ", "a number from -180 to 180, with a latitude"),
    "phone": ("3 đến 20 chữ số và + ( ) . -", "3 to 20 digits and + ( ) . -"),
    "specialties": (
        "mã trong danh mục chuyên khoa, cách nhau bằng ;",
        "codes of the specialties' list, with ;",
    ),
}
_WHAT: Final[dict[str, tuple[str, str]]] = {
    "missing": ("Thiếu", "Missing"),
    "too-long": ("Quá dài", "Too long"),
    "tone-marks": ("Có dấu hoặc ký tự lạ", "Has tone marks or other signs"),
    "out-of-range": ("Ngoài khoảng cho phép", "Out of range"),
    "wrong-form": ("Sai dạng", "Not of the form"),
    "no-number": ("Không phải số", "Not a number"),
    "position-half": ("Vị trí chỉ có một nửa", "Half a position"),
    "specialty-unknown": ("Chuyên khoa không có trong danh mục", "Unknown specialty"),
    "discreet-name-tells": ("Tên kín đáo nói ra điều cần giữ kín", "A discreet name that tells"),
    "commune-unknown": (
        "Chưa có mã xã này; nạp bằng `admin places import`",
        "No such commune; take it in by `admin places import`",
    ),
    "code-in-use": ("Cơ sở khác đang dùng mã này", "Another facility has this code"),
    "twice-in-file": ("Mã đã có ở dòng trước", "The code stands in an earlier line"),
    "too-many-cells": ("Nhiều ô hơn số cột", "More cells than columns"),
}


def of_value(column: str, value: Any) -> str:
    """A word for what is wrong with a cell that its column does not allow."""
    if column in {"latitude", "longitude"}:
        return "out-of-range"
    if not value:
        return "missing"
    if column == "short_name" and not str(value).isascii():
        return "tone-marks"
    return "too-long" if column in {"name", "short_name", "discreet_name", "address"} else "wrong-form"


def sentences(column: str, what: str) -> tuple[str, str]:
    """(Vietnamese, English): the reason, and what the column allows."""
    vi, en = _WHAT[what]
    if column not in _COLUMNS:
        return f"{vi}.", f"{en}."
    allowed_vi, allowed_en = _COLUMNS[column]
    return f"{vi}. Cột {column}: {allowed_vi}.", f"{en}. Column {column}: {allowed_en}."
