"""Corrections in the person's words: how far each is, what is due and when, and what the person can do."""

from datetime import datetime, timedelta
from typing import Any, Final

from api.pages.formats import day
from kernel.clock import local_day

Words = tuple[str, str]

KINDS: Final[dict[str, Words]] = {
    "correction": ("Một mục trong sổ ghi sai", "Something in the book is wrong"),
    "not-mine": ("Lần khám không phải của tôi", "A visit that is not mine"),
    "missing-visit": ("Thiếu một lần khám", "A visit is missing"),
}
STATES: Final[dict[str, Words]] = {
    "open": ("Đã gửi, chờ cơ sở nhận", "Sent, waiting to be received"),
    "acknowledged": ("Cơ sở đã nhận", "Received by the facility"),
    "refused": ("Cơ sở không đồng ý sửa", "The facility refused"),
    "corrected": ("Cơ sở đã sửa", "Corrected"),
    "detached": ("Đã gỡ khỏi sổ", "Taken out of the book"),
    "restored": ("Đã đưa trở lại sổ", "Back in the book"),
    "arrived": ("Dữ liệu đã đến", "The data came"),
    "withdrawn": ("Bạn đã rút lại", "You took it back"),
    "accepted": ("Bạn đã chấp nhận câu trả lời", "You accepted the answer"),
}
ACTS: Final[dict[str, Words]] = {
    "open": ("Gửi đề nghị", "Sent"),
    "acknowledge": ("Xác nhận đã nhận", "Received"),
    "reply": ("Lời nhắn", "A message"),
    "refuse": ("Không đồng ý sửa", "Refused"),
    "resolve": ("Báo đã sửa xong", "Said it is corrected"),
    "supersede": ("Gửi bản mới", "A newer version came"),
    "arrive": ("Dữ liệu đã đến", "The data came"),
    "resend": ("Gửi lại lần khám này", "Sent the visit again"),
    "withdraw": ("Rút lại", "Taken back"),
    "accept": ("Chấp nhận câu trả lời", "Accepted the answer"),
    "reopen": ("Mở lại", "Opened again"),
}
SIDES: Final[dict[str, Words]] = {
    "person": ("Bạn", "You"),
    "facility": ("Cơ sở", "The facility"),
    "service": ("Hệ thống", "The service"),
}
TONES: Final[dict[str, str]] = {
    "refused": "warn",
    "corrected": "good",
    "detached": "good",
    "arrived": "good",
}
# The states in which the clock runs, and how long a corrected case opens again (docs/cases.md).
RUNNING: Final = frozenset({"open", "acknowledged", "refused"})
REOPEN_DAYS: Final = timedelta(days=30)


def deadline_of(case: dict[str, Any]) -> Words | None:
    """What the facility owes and until when; None where it owes nothing. A term ends before its instant."""
    if case["state"] not in RUNNING:
        return None
    if case["overdue"]:
        return (
            "Cơ sở đã quá hạn. Sở Y tế nhìn thấy việc quá hạn này, không thấy nội dung.",
            "The facility is late. The health department sees that it is late, not what it is about.",
        )
    is_new = case["state"] == "open"
    ends = datetime.fromisoformat(case["acknowledge_by" if is_new else "answer_by"])
    last = day((local_day(ends - timedelta(microseconds=1))).isoformat())
    if is_new:
        return f"Cơ sở phải xác nhận đã nhận, chậm nhất hết ngày {last}.", f"To be received by {last}."
    return f"Cơ sở phải giải quyết, chậm nhất hết ngày {last}.", f"To be settled by {last}."


def acts_of(case: dict[str, Any], now: datetime) -> frozenset[str]:
    """What the person can do now: confirm, accept, reopen, withdraw, evidence."""
    state, closed = case["state"], case["closed_at"]
    if state == "corrected" and case["kind"] == "correction" and closed:
        return frozenset({"reopen"} if now - datetime.fromisoformat(closed) <= REOPEN_DAYS else ())
    if state not in RUNNING:
        return frozenset()
    more = {"accept"} if state == "refused" else set()
    if case["by_service"] and case["kind"] == "missing-visit" and state == "open":
        more.add("confirm")
    return frozenset({"withdraw", "evidence"} | more)
