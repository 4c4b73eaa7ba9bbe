"""Medicines as a person reads them: what is taken now, what was, how it is reminded of. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

from api.pages.citizen.entries_view import Entry, Stack, Word, section, stacked

STATES: Final[Mapping[str, Word]] = {
    "active": Word("Đang nhắc", "Reminding", "good"),
    "asks": Word("Chưa nhắc: cần bạn chọn", "Not reminding: needs your answer", "warn"),
    "as-needed": Word("Dùng khi cần, không nhắc giờ", "Taken when needed, no times"),
    "paused": Word("Đang tạm dừng nhắc", "Paused", "warn"),
    "stopped": Word("Đã dừng nhắc", "Stopped"),
    "ended": Word("Đã hết", "Over"),
}
# What the person can do with a reminder in a state: act → its button.
_PAUSE: Final = ("pause", Word("Tạm dừng nhắc", "Pause"))
_RESUME: Final = ("resume", Word("Nhắc lại", "Resume"))
_STOP: Final = ("stop", Word("Dừng nhắc", "Stop"))
ACTS: Final[Mapping[str, list[tuple[str, Word]]]] = {
    "active": [_PAUSE, _STOP],
    "paused": [_RESUME, _STOP],
    "stopped": [_RESUME],
    "asks": [_STOP],
    "as-needed": [_STOP],
}
COLLECTABLE: Final = ("open", "partly")
# Why a person needs no more of a finding (ehr/medicine_safety DismissalReason).
REASONS: Final[Mapping[str, Word]] = {
    "weighed": Word("Bác sĩ hoặc dược sĩ đã xem và bảo cứ dùng", "A doctor or pharmacist weighed it"),
    "not-taken": Word("Tôi không còn dùng thuốc này", "I do not take this any more"),
    "tolerated": Word("Tôi đã dùng trước đây, không sao", "I took it before without harm"),
    "not-the-same": Word("Đây không phải chất tôi dị ứng", "It is another substance"),
    "other": Word("Lý do khác", "Another reason"),
}
FINDING_ID: Final = re.compile(r"[0-9a-f]{32}")
# A form shows so many empty places for times beside those that there are.
_TIMES_MORE: Final = 2
_TIMES_MAX: Final = 12


class Taken(Struct, frozen=True):
    """One medicine by its name: each order of it, and its reminders."""

    stack: Stack
    reminders: list[dict[str, Any]]


def taken_now(summary: Mapping[str, Any], reminders: Iterable[dict[str, Any]]) -> list[Taken]:
    """The medicines that the summary lists, each with what is reminded of it."""
    found = section(summary, "medications")
    rows = list(reminders)
    stacks = stacked(found["items"] if found else [])
    return [Taken(stack, [one for one in rows if _is_of(one, stack)]) for stack in stacks]


def _is_of(reminder: Mapping[str, Any], stack: Stack) -> bool:
    return reminder["medication_id"] in {one["id"] for one in stack.entries}


def of_no_medicine(taken: Iterable[Taken], reminders: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Reminders that stand beside no medicine of now, those that go on first."""
    beside = {one["reminder_id"] for medicine in taken for one in medicine.reminders}
    left = [one for one in reminders if one["reminder_id"] not in beside and one["state"] != "ended"]
    return sorted(left, key=lambda one: one["state"] not in ("active", "asks"))


def past(page: Iterable[Entry], taken: Iterable[Taken]) -> list[Stack]:
    """Medicines of the book that are not taken now, by name."""
    now = {entry["id"] for medicine in taken for entry in medicine.stack.entries}
    return stacked(one for one in page if one["id"] not in now)


def one_of(form: re.Pattern[str], text: str) -> str:
    """The text where it has that form, else an id of nothing: a path of the contract is made of it."""
    return text if form.fullmatch(text) else "0" * 32


def times_shown(reminder: Mapping[str, Any]) -> list[str]:
    """The times of a reminder for a form, with some empty ones."""
    times: list[str] = list(reminder["times"])
    return times + [""] * min(_TIMES_MORE if times else 3, _TIMES_MAX - len(times))


def times_typed(form: Mapping[str, str]) -> dict[str, Any]:
    """What a form says of times and of how many days, as the contract takes it: times in order, each once."""
    said = {value.strip() for name, value in form.items() if name.startswith("time-") and value.strip()}
    days = form.get("days", "").strip()
    return {"times": sorted(said), "days": int(days) if days.isdecimal() else None}
