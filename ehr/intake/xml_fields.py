"""Reading the fields of treatment tables (QĐ 130/4750/3176) with a reason for each that is wrong."""

import re
import unicodedata
from datetime import datetime, timedelta
from functools import lru_cache

from msgspec import Struct, field

from ehr.intake.models import Reason
from kernel.clock import VIETNAM

ZONE_TEXT = "+07:00"
# Clocks and time zones of senders are a little wrong.
SLACK = timedelta(days=1)
_PARTS = ((0, 4), (4, 6), (6, 8), (8, 10), (10, 12))
_DIGITS = re.compile(r"[0-9]+\Z")
_DECIMAL = re.compile(r"-?[0-9]{1,12}(?:[.,][0-9]{1,6})?\Z")


class Row(Struct):
    """One row of one table: its fields by upper-case name, and the place to name in a reason."""

    table: str
    where: str
    fields: dict[str, str]
    reasons: list[Reason] = field(default_factory=list)

    def text(self, name: str) -> str:
        """The field's text, stripped and NFC; empty when absent."""
        return self.fields.get(name, "")

    def first(self, *names: str) -> str:
        """The first of several fields that holds anything (variants of one table)."""
        return next((self.fields[name] for name in names if self.fields.get(name)), "")

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            self.fault("missing-field", name)
        return value

    def parts(self, name: str) -> list[str]:
        """The members of a field that lists several, divided by `;`."""
        return [part.strip() for part in self.text(name).split(";") if part.strip()]

    def coded(self, name: str, allowed: str, *, required: bool = False) -> str:
        """A field whose whole text must match `allowed` (a regular expression)."""
        value = self.required(name) if required else self.text(name)
        if value and re.fullmatch(allowed, value) is None:
            self.fault("bad-code", name)
            return ""
        return value

    def moment(self, name: str, *, required: bool = False) -> str:
        """yyyyMMddHHmm or yyyyMMdd as a FHIR date or instant in Vietnam's zone; "" when empty."""
        value = self.required(name) if required else self.text(name)
        if not value:
            return ""
        moment = read_moment(value)
        if moment is None:
            self.fault("bad-date", name)
            return ""
        return moment

    def decimal(self, name: str) -> str:
        """A decimal number, comma or point, as text with a point; "" when empty or wrong."""
        value = self.text(name)
        if value and _DECIMAL.match(value) is None:
            self.fault("bad-number", name)
            return ""
        return value.replace(",", ".")

    def fault(self, code: str, name: str) -> None:
        self.reasons.append(Reason(code, f"{self.where}.{name}"))


def clean(text: str | None) -> str:
    """Text of an element: NFC, without BOM, white space at its ends and control characters."""
    if not text:
        return ""
    if not text.isprintable():
        text = "".join(c for c in text if c >= " " or c in "\n\t").replace("\ufeff", "")
    return (text if text.isascii() else unicodedata.normalize("NFC", text)).strip()


@lru_cache(maxsize=4_000)
def read_moment(value: str) -> str | None:
    """`202603020815` → `2026-03-02T08:15:00+07:00`; `20260302` and a time of 0000 → the date."""
    if _DIGITS.match(value) is None or len(value) not in (8, 12):
        return None
    digits = value.ljust(12, "0")
    year, month, day, hour, minute = (int(digits[a:b]) for a, b in _PARTS)
    try:
        moment = datetime(year, month, day, hour, minute, tzinfo=VIETNAM)
    except ValueError:
        return None
    if not 1870 <= moment.year <= 2200:
        return None
    if value[8:] in ("", "0000"):
        return moment.date().isoformat()
    return moment.isoformat(timespec="seconds")


def read_birth(value: str) -> tuple[str, bool] | None:
    """NGAY_SINH as (FHIR partial date, carries a real time): `195500000000` → ('1955', False).

    0000 stands for an unknown time or an unknown day and month (QĐ 130, table 1).
    """
    if _DIGITS.match(value) is None or len(value) not in (8, 12):
        return None
    year, month, day, time = value[:4], value[4:6], value[6:8], value[8:]
    if not 1870 <= int(year) <= 2200:
        return None
    if month + day == "0000":
        return (year, False) if time in ("", "0000") else None
    if day == "00":
        return (f"{year}-{month}", False) if "01" <= month <= "12" and time in ("", "0000") else None
    moment = read_moment(value)
    return None if moment is None else (moment[:10], len(moment) > 10)


def is_later(first: str, second: str, slack: timedelta) -> bool:
    """Whether the FHIR date `first` lies more than `slack` after `second`."""
    return _instant(first) > _instant(second) + slack


def is_ahead(partial: str, now: datetime) -> bool:
    """Whether the first moment of a FHIR date, at any precision, lies in the future (a day's slack)."""
    return is_later(partial + {4: "-01-01", 7: "-01"}.get(len(partial), ""), now.isoformat(), SLACK)


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=VIETNAM)
