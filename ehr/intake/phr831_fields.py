"""Fields of the QĐ 831 form: dates dd/MM/yyyy, flags, and the codes of its lists (vietnam.md §3)."""

import re
from datetime import datetime
from typing import Final

from lxml import etree

from ehr.intake.drafts import UnitDraft
from ehr.intake.models import reject
from ehr.intake.safe_xml import local, text_of
from ehr.intake.xml_fields import ZONE_TEXT, Row, is_ahead
from kernel.clock import VIETNAM

ROWS_MAX: Final = 5000
_DAY: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})(?: ([0-9]{2}):([0-9]{2})(?::[0-9]{2})?)?\Z")
_YEAR: Final = re.compile(r"(?:([0-9]{1,2})/)?([0-9]{4})\Z")

ALLERGIES: Final = {"1": "medication", "2": "environment", "3": "food", "4": ""}
DISEASES: Final = {
    "1": "Bệnh tim mạch",
    "2": "Tăng huyết áp",
    "3": "Đái tháo đường",
    "4": "Bệnh dạ dày",
    "5": "Bệnh phổi mạn tính",
    "6": "Hen phế quản",
    "7": "Bướu cổ",
    "8": "Viêm gan",
    "9": "Tim bẩm sinh",
    "10": "Tâm thần",
    "11": "Tự kỷ",
    "12": "Động kinh",
    "13": "Ung thư",
    "14": "Lao",
    "15": "Khác",
}
DISABILITIES: Final = {
    "1": "Khuyết tật thính lực",
    "2": "Khuyết tật thị lực",
    "3": "Khuyết tật tay",
    "4": "Khuyết tật chân",
    "5": "Cong vẹo cột sống",
    "6": "Khe hở môi, vòm miệng",
    "7": "Khuyết tật khác",
}
# 3 is drug use: it is dropped by rule and has no text here (vietnam.md §5).
RISKS: Final = {"1": "Hút thuốc lá", "2": "Uống rượu bia", "4": "Hoạt động thể lực"}
DRUG_USE: Final = "3"
STATES: Final = {"0": "Không", "1": "Có", "2": "Thường xuyên"}


def row_of(element: etree._Element, where: str, draft: UnitDraft) -> Row:
    """The leaves of one block by upper-case name; a field that occurs twice is a fault."""
    fields: dict[str, str] = {}
    for leaf in element:
        if len(leaf):
            continue
        name = local(leaf).upper()
        if name in fields:
            draft.fault("duplicate-field", f"{where}.{name[:60]}")
        fields[name] = text_of(leaf)
    return Row("831", where, fields, draft.reasons)


def blocks(element: etree._Element | None, *path: str) -> list[etree._Element]:
    """All elements at a path of upper-case names, through every element on the way."""
    found = [] if element is None else [element]
    for name in path:
        found = [leaf for one in found for leaf in one if local(leaf).upper() == name]
    if len(found) > ROWS_MAX:
        raise reject("too-large", "/".join(path))
    return found


def day(row: Row, name: str, *, required: bool = False, now: datetime | None = None) -> str:
    """dd/MM/yyyy (also with HH:mm, MM/yyyy, yyyy) as a FHIR date; "" when empty or wrong.

    now: the date must not lie ahead of it.
    """
    value = row.required(name) if required else row.text(name)
    if not value:
        return ""
    found = read_day(value)
    if found is None:
        row.fault("bad-date", name)
        return ""
    if now is not None and is_ahead(found, now):
        row.fault("future-date", name)
        return ""
    return found


def read_day(value: str) -> str | None:
    """`05/03/2026` → `2026-03-05`; `2026` and `03/2026` keep their precision."""
    if partial := _YEAR.match(value):
        month, year = partial.groups()
        if not 1870 <= int(year) <= 2200 or (month and not 1 <= int(month) <= 12):
            return None
        return f"{year}-{int(month):02d}" if month else year
    match = _DAY.match(value)
    if match is None:
        return None
    numbers = [int(part) for part in match.groups() if part is not None]
    try:
        hour, minute = (*numbers[3:], 0, 0)[:2]
        moment = datetime(numbers[2], numbers[1], numbers[0], hour, minute, tzinfo=VIETNAM)
    except ValueError:
        return None
    if not 1870 <= moment.year <= 2200:
        return None
    timed = len(numbers) > 3
    return moment.strftime("%Y-%m-%dT%H:%M:00") + ZONE_TEXT if timed else moment.date().isoformat()


def flag(row: Row, name: str) -> bool | None:
    """1 yes, 0 no; None when empty or wrong."""
    value = row.coded(name, "[01]")
    return None if not value else value == "1"
