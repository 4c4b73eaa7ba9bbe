"""What people read in the app of an alert (docs/vitals.md): what to do, no disease, no medicine. Pure.

A low blood pressure asks how the person feels.
Calling 115 at once for a very high blood pressure has no source that was read: those words are used only once
an operator confirmed the row (vitals/alerts/defaults.json: bp-call-115).
"""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from vitals.alerts.defaults import CALL_115, by_name, outside, part_of
from vitals.alerts.models import HIGH, LOW, AlertRow
from vitals.kinds import KINDS

_PRESSURE: Final = KINDS["blood-pressure"].number
OUTSIDE_VI: Final = (
    "Chỉ số đo lúc {giờ} nằm ngoài ngưỡng đã đặt. Hãy nghỉ và đo lại sau 5 phút. "
    "Nếu thấy không khỏe, gọi 115."
)
LOW_PRESSURE_VI: Final = (
    "Chỉ số đo lúc {giờ} nằm ngoài ngưỡng đã đặt. Bạn có thấy không khỏe không? Hãy nghỉ và đo lại sau 5 "
    "phút. Nếu thấy không khỏe, gọi 115."
)
CALL_115_VI: Final = "Chỉ số đo lúc {giờ} nằm ngoài ngưỡng đã đặt. Gọi 115 ngay."
RETRACTED_VI: Final = "Số đo lúc {giờ} đã được sửa hoặc xóa, nên cảnh báo này không còn đúng."
NO_DATA_VI: Final = (
    "Từ lúc {giờ} chưa nhận được số đo nào từ thiết bị. Hãy kiểm tra thiết bị, pin và kết nối với điện thoại."
)
NOTICE_VI: Final = (
    "Số tự đo bằng thiết bị cá nhân, chưa được nhân viên y tế kiểm tra. Cảnh báo chỉ so số đo với ngưỡng đã "
    "đặt; không phải chẩn đoán và không thay theo dõi cấp cứu."
)


def text_of(alert: AlertRow, zone: str, confirmed: frozenset[str]) -> str:
    """What is said of an alert; {giờ}: when it was measured, in the person's zone."""
    return _said(alert, confirmed).replace("{giờ}", hour_of(alert.last_t, zone))


def _said(alert: AlertRow, confirmed: frozenset[str]) -> str:
    if alert.measure == "no-data":
        return NO_DATA_VI
    if alert.status == "retracted":
        return RETRACTED_VI
    if calls_115(alert, confirmed):
        return CALL_115_VI
    is_low = alert.kind == _PRESSURE and alert.direction == LOW
    return LOW_PRESSURE_VI if is_low else OUTSIDE_VI


def hour_of(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M ngày %d/%m}"


def calls_115(alert: AlertRow, confirmed: frozenset[str]) -> bool:
    row, kind = by_name()[CALL_115], KINDS["blood-pressure"]
    limit = part_of(row, "crit", confirmed)
    if limit is None or alert.kind != kind.number or alert.direction != HIGH:
        return False
    first, second = outside(kind, limit, row.unit, HIGH, row.inclusive)
    return _reaches(alert.peak_v, first) or _reaches(alert.peak_v2, second)


def _reaches(value: int | None, limit: int | None) -> bool:
    return value is not None and limit is not None and value >= limit
