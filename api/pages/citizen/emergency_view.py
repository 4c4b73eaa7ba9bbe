"""One time the glass was broken, as a page shows it to its person."""

from typing import Any, Final

from api.pages.doctor.emergency import REASONS
from api.pages.scope_words import LABELS, Words, said
from consent.emergency.models import Verdict

TEXT_MAX: Final = 1000
_WHY: Final[dict[str, Words]] = {str(name): words for name, words in REASONS.items()}
DISPUTES: Final[dict[str, Words]] = {
    "not-there": ("Tôi không ở cơ sở đó lúc ấy", "I was not there then"),
    "not-needed": ("Tôi còn tự trả lời được, không cần mở khẩn cấp", "I could have answered myself"),
    "not-me": ("Người được cấp cứu không phải tôi", "It was not me who was treated"),
    "other": ("Lý do khác", "Another reason"),
}
_VERDICTS: Final[dict[Verdict, tuple[str, Words]]] = {
    "justified": ("good", ("Đã xem xét: mở đúng quy định", "Reviewed: it was right")),
    "not-justified": ("bad", ("Đã xem xét: không đáng phải mở", "Reviewed: it was not needed")),
    "misuse": ("bad", ("Đã xem xét: lạm dụng", "Reviewed: it was misuse")),
}


def emergency_card(one: dict[str, Any], *, english: bool) -> dict[str, Any]:
    """tone, state: how it stands now. can_dispute: nobody has yet, and no matter whether it ended."""
    tone, words = _state(one)
    return one | {
        "tone": tone,
        "state_words": words[english],
        "reason_words": said(_WHY, one["reason"], english=english),
        "shown": [said(LABELS, name, english=english) for name in one["labels"]],
        "dispute_words": said(DISPUTES, one["dispute"], english=english) if one["dispute"] else "",
        "can_end": one["live"] or one["waiting"],
        "can_dispute": one["disputed_at"] is None,
    }


def _state(one: dict[str, Any]) -> tuple[str, Words]:
    if one["outcome"]:
        return _VERDICTS[one["outcome"]]
    if one["live"]:
        return "bad", ("Đang mở", "Open now")
    if one["disputed_at"]:
        return "warn", ("Bạn đã phản đối, đang chờ xem xét", "You disputed it; the review is due")
    if one["waiting"]:
        return "warn", ("Chờ người thứ hai xác nhận", "Waits for a second clinician")
    return "plain", ("Đã kết thúc, chờ xem xét", "Ended, the review is due")
