"""Days, times and numbers as they are written in Vietnam: 23/11/2026, 14:05, 1.234,5."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from kernel.clock import VIETNAM

# In digits alone: ten letters of a record (`1E999999999`) would unpack to a page of a gigabyte.
_DIGITS: Final = re.compile(r"[+-]?[0-9]{1,400}(\.[0-9]{1,400})?", re.ASCII)


def local_time(at: datetime) -> str:
    """Hours to seconds and the day, of an instant."""
    return at.astimezone(VIETNAM).strftime("%H:%M:%S %d/%m/%Y")


def day(value: Any) -> str:
    """A day, or the day of an instant in Vietnam: `23/11/2026`. Of a FHIR date that is shorter what there is:
    `11/2026`, `2026`. Empty where there is none; text of another form stays."""
    if isinstance(value, datetime):
        return value.astimezone(VIETNAM).strftime("%d/%m/%Y")
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    text = str(value or "")
    if "T" in text:
        at = _instant(text)
        return at if isinstance(at, str) else day(at)
    return "/".join(reversed(text.split("-"))) if text[:4].isdigit() else text


def moment(value: Any) -> str:
    """An instant in Vietnam to the minute: `14:05 23/11/2026`; a day alone stays a day."""
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        if "T" not in value:
            return day(value)
        value = _instant(value)
    return value.astimezone(VIETNAM).strftime("%H:%M %d/%m/%Y") if isinstance(value, datetime) else day(value)


def clock_time(value: Any) -> str:
    """The time of day of an instant in Vietnam: `14:05`."""
    return moment(value).partition(" ")[0] if value else ""


def number(value: Any) -> str:
    """`1234.5` as `1.234,5`; no digit is added or dropped. Text of another form stays."""
    text = "" if value is None else f"{Decimal(str(value)):f}" if isinstance(value, float) else str(value)
    if not _DIGITS.fullmatch(text):
        return text
    return f"{Decimal(text):,f}".translate(str.maketrans(",.", ".,"))


def money(value: Any) -> str:
    """A sum in đồng: `1.234.000 ₫`."""
    return "" if value is None else f"{number(round(Decimal(str(value))))} ₫"


def _instant(text: str) -> datetime | str:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text


FILTERS: Final[dict[str, Callable[..., str]]] = {
    "local_time": local_time,
    "day": day,
    "moment": moment,
    "clock_time": clock_time,
    "number": number,
    "money": money,
}
