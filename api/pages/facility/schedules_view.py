"""A row of slots from what a form says, and the slots of a schedule by their day."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any, Final

from api.pages.facility.desk import written_date
from kernel.clock import VIETNAM, local_day

# As many as one request of the contract holds.
SLOTS_MAX: Final = 100
Slots = list[dict[str, Any]]


def slots_of(form: Mapping[str, str]) -> Slots | None:
    """Slots one after the other, from the first time to the last, each of some minutes; what is left over at
    the end makes none. None where the form makes no sense of itself; the service says what is too far."""
    try:
        day = date.fromisoformat(written_date(form.get("day", "").strip()))
        first, last = (
            datetime.combine(day, written_time(form.get(name, "")), VIETNAM) for name in ("first", "last")
        )
        length, capacity = timedelta(minutes=int(form.get("minutes", ""))), int(form.get("capacity", ""))
    except (ValueError, OverflowError):
        return None
    if length < timedelta(minutes=1) or capacity < 1:
        return None
    count = (last - first) // length
    if not 1 <= count <= SLOTS_MAX:
        return None
    starts = [first + length * number for number in range(count)]
    return [
        {"starts_at": at.isoformat(), "ends_at": (at + length).isoformat(), "capacity": capacity}
        for at in starts
    ]


def written_time(text: str) -> time:
    """A time as people write it: `7:30`, `07:30`, `7h30`, `7h`. Raises ValueError."""
    hours, _, minutes = text.strip().lower().replace("h", ":").replace(".", ":").partition(":")
    return time(int(hours), int(minutes or 0))


def by_day(slots: Slots, now: datetime) -> tuple[list[tuple[date, Slots]], list[tuple[date, Slots]]]:
    """The slots from today on, and those of days that are over, each under its day."""
    days = [(day, list(lines)) for day, lines in groupby(slots, key=_day)]
    today = local_day(now)
    return [one for one in days if one[0] >= today], [one for one in days if one[0] < today]


def changeable(slots: Slots, now: datetime) -> Slots:
    """Slots that have not begun and are not called off."""
    return [one for one in slots if one["state"] == "open" and datetime.fromisoformat(one["starts_at"]) > now]


def _day(slot: dict[str, Any]) -> date:
    return local_day(datetime.fromisoformat(slot["starts_at"]))
