"""What a person asked about the own data, in words, with the day until which it is owed. Pure."""

from datetime import datetime, timedelta
from typing import Any, Final

from api.pages.formats import day
from kernel.clock import local_day

Words = tuple[str, str]

KINDS: Final[dict[str, Words]] = {
    "access": ("Nhận bản sao dữ liệu của tôi", "A copy of my data"),
    "restriction": ("Hạn chế việc dùng dữ liệu của tôi", "Restrict how my data is used"),
    "objection": ("Phản đối một việc dùng dữ liệu của tôi", "Object to a use of my data"),
    "erasure": ("Xóa toàn bộ hồ sơ của tôi", "Erase everything about me"),
    "closing": ("Đóng tài khoản", "Close my account"),
}
# What the form offers; erasing and closing are signed in the app.
ASKED: Final = ("access", "restriction", "objection")
OUTCOMES: Final[dict[str, Words]] = {
    "done": ("Đã làm xong", "Done"),
    "refused": ("Không được chấp nhận", "Refused"),
    "cancelled": ("Đã hủy", "Cancelled"),
}
_TONES: Final = {"done": "good", "refused": "warn"}


def request_card(request: dict[str, Any], *, english: bool) -> dict[str, Any]:
    """kind, state: words; tone: of the state; due: what is owed next, empty where nothing is."""
    outcome = request["outcome"]
    answered = request["answered_at"] is not None
    state = OUTCOMES[outcome] if outcome else _RUNNING[answered]
    return {
        "kind": KINDS[request["kind"]][english],
        "opened_at": request["opened_at"],
        "state": state[english],
        "tone": _TONES.get(outcome or "", "plain"),
        "due": "" if outcome else _due(request, answered)[english],
        "extended": request["extended"] and not outcome,
    }


_RUNNING: Final[dict[bool, Words]] = {
    True: ("Đã trả lời, đang làm", "Answered, being done"),
    False: ("Đang chờ trả lời", "Waiting for an answer"),
}


def _due(request: dict[str, Any], answered: bool) -> Words:
    done = _last_day(request["done_by"])
    if answered:
        return f"Phải làm xong, chậm nhất hết ngày {done}.", f"To be done by {done}."
    first = _last_day(request["answer_by"])
    return (
        f"Phải trả lời, chậm nhất hết ngày {first}; làm xong, chậm nhất hết ngày {done}.",
        f"To be answered by {first}, and done by {done}.",
    )


def _last_day(ends: str) -> str:
    """A term ends before its instant."""
    return day(local_day(datetime.fromisoformat(ends) - timedelta(microseconds=1)).isoformat())
