"""How a referral moves. Pure."""

from datetime import date
from typing import Final

from msgspec.structs import replace

from ehr.referrals.models import STATES, Act, Referral, State

STATES_VI: Final[dict[State, str]] = {
    "sent": "Đã gửi, chờ nơi đến tiếp nhận.",
    "received": "Nơi đến đã nhận phiếu.",
    "booked": "Đã có ngày hẹn ở nơi đến.",
    "seen": "Bạn đã được khám ở nơi đến.",
    "answered": "Nơi đến đã trả lời nơi chuyển.",
}
ELSEWHERE_VI: Final = "Nơi đến chưa dùng dịch vụ này nên không báo được; hãy mang phiếu đến khám."


def may_move(state: State, act: Act) -> bool:
    """Forward only, steps may be left out; a booked day may change."""
    forward = STATES.index(act) > STATES.index(state)
    return forward or (state == act == "booked")


def is_bookable(day: date | None, act: Act, today: date) -> bool:
    """A booking names a day from today on, and nothing else names one."""
    return (day is not None and day >= today) if act == "booked" else day is None


def unseen(letter: Referral) -> Referral:
    """The letter for who may not learn of the visit that made it `seen`: as it stood before."""
    if letter.state != "seen":
        return replace(letter, seen_at=None)
    before: State = "booked" if letter.booked_for else "received" if letter.received_at else "sent"
    return replace(letter, state=before, seen_at=None)
