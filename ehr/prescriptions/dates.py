"""Dates of the national e-prescription: dd/MM/yyyy and yyyy-MM-dd both occur."""

import re
from datetime import date, datetime
from typing import Final

from kernel.clock import VIETNAM

_DAY: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})|([0-9]{4})-([0-9]{2})-([0-9]{2})")
_INSTANT: Final = re.compile(r"(\S{8,10})[ T]([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?")
_YEAR: Final = re.compile(r"[0-9]{4}")
_FIRST_YEAR: Final = 1870
_LAST_YEAR: Final = 2200


def day_of(text: str, *, year_only: bool = False) -> str | None:
    """A FHIR date; None for what is none. year_only: also a bare year, as birth dates have it."""
    if year_only and _YEAR.fullmatch(text):
        return text if _FIRST_YEAR <= int(text) <= _LAST_YEAR else None
    found = _day(text)
    return found.isoformat() if found else None


def _day(text: str) -> date | None:
    found = _DAY.fullmatch(text)
    if found is None:
        return None
    day, month, year = (found[1], found[2], found[3]) if found[1] else (found[6], found[5], found[4])
    try:
        read = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return read if _FIRST_YEAR <= read.year <= _LAST_YEAR else None


def instant_of(text: str) -> datetime | None:
    """`2026-11-20 08:15:00` in Vietnam's zone; seconds may be missing."""
    found = _INSTANT.fullmatch(text)
    day = _day(found[1]) if found else None
    if found is None or day is None:
        return None
    try:
        return datetime(
            day.year, day.month, day.day, int(found[2]), int(found[3]), int(found[4] or 0), tzinfo=VIETNAM
        )
    except ValueError:
        return None


def child_months(birth_date: str, on: str) -> int:
    """Whole months of age on a day, as many as a birth date that leaves something open can mean."""
    born = date.fromisoformat("-".join([*birth_date.split("-"), "01", "01"][:3]))
    day = date.fromisoformat(on)
    return (day.year - born.year) * 12 + day.month - born.month - (day.day < born.day)
