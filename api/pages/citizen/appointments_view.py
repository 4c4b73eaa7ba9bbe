"""Appointments and free times as a person reads them. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from msgspec import Struct

from api.pages.formats import day
from kernel.clock import VIETNAM

DAYS: Final = (
    ("Thứ hai", "Monday"),
    ("Thứ ba", "Tuesday"),
    ("Thứ tư", "Wednesday"),
    ("Thứ năm", "Thursday"),
    ("Thứ sáu", "Friday"),
    ("Thứ bảy", "Saturday"),
    ("Chủ nhật", "Sunday"),
)
# What can still take place.
_AHEAD: Final = frozenset({"held", "booked", "waiting"})


class Day(Struct, frozen=True):
    """The times of one day. title: with the day of the week."""

    title: str
    slots: list[Mapping[str, Any]]


class Split(Struct, frozen=True):
    """ahead: what is to come, the next first; past: the rest, the newest first."""

    ahead: list[Mapping[str, Any]]
    past: list[Mapping[str, Any]]


def days_of(slots: Iterable[Mapping[str, Any]], *, english: bool) -> list[Day]:
    """Times by their day in Vietnam, the first one first."""
    ordered = sorted(slots, key=_at)
    return [
        Day(_title(at, english=english), list(found))
        for at, found in groupby(ordered, key=lambda one: _at(one).date())
    ]


def split(appointments: Iterable[Mapping[str, Any]], now: datetime) -> Split:
    """What is to come, and what was."""
    found = list(appointments)
    ahead = [one for one in found if one["state"] in _AHEAD and datetime.fromisoformat(one["ends_at"]) > now]
    past = [one for one in found if one not in ahead]
    return Split(sorted(ahead, key=_at), sorted(past, key=_at, reverse=True))


def weekday(at: str, *, english: bool) -> str:
    """`Thứ hai, 23/11/2026` of an instant."""
    return _title(datetime.fromisoformat(at).astimezone(VIETNAM).date(), english=english)


def _title(at: Any, *, english: bool) -> str:
    return f"{DAYS[at.weekday()][english]}, {day(at)}"


def _at(one: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(one["starts_at"]).astimezone(VIETNAM)
