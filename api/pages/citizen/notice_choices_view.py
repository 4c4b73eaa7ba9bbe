"""What a person chooses about notices, between a form and the contract."""

from typing import Any, Final, get_args

from api.pages.scope_words import Words
from notifications.groups import Group
from notifications.models import Language

TOLD: Final = "told."
_PUSH: Final = ":push"
# In the order of a day's weight, not of the alphabet.
KINDS: Final[dict[Group, Words]] = {
    "medicine": ("Giờ uống thuốc, thuốc sắp hết", "Medicine times, medicine running out"),
    "appointments": ("Lịch hẹn và tái khám", "Appointments and coming back"),
    "alerts": ("Số đo ngoài ngưỡng báo", "Measurements outside your limits"),
    "record": ("Có kết quả hoặc giấy tờ mới trong sổ", "New results or papers in the book"),
    "vaccination": (
        "Mũi tiêm sắp đến, trả lời về phản ứng sau tiêm",
        "Vaccinations due, answers on reactions",
    ),
    "screening": ("Đến kỳ khám sức khỏe", "Check-ups due"),
    "measurement": ("Nhắc đo chỉ số", "Reminders to measure"),
    "questions": ("Trả lời cho đề nghị sửa và câu hỏi của bạn", "Answers to your corrections and questions"),
    "certificates": ("Giấy chứng nhận thay đổi hoặc sắp hết hạn", "Certificates that change or end"),
    "cards": ("Thẻ bảo hiểm sắp hết hạn", "Insurance card about to end"),
    "family": ("Việc của người nhà trong sổ", "News of your relatives' books"),
    "custom": ("Lời nhắc bạn tự đặt", "Reminders of your own"),
    "nutrition": ("Lời khuyên ăn uống", "Tips on food"),
}


def kinds_of(mutable: list[str], *, english: bool) -> list[tuple[str, str]]:
    """Each kind of news that may be silenced, as (name, words)."""
    return [
        (f"{group}{_PUSH}", words[english]) for group, words in KINDS.items() if f"{group}{_PUSH}" in mutable
    ]


def is_half(form: dict[str, str]) -> bool:
    """Only one end of the quiet hours was said."""
    return bool(form.get("quiet_from", "").strip()) != bool(form.get("quiet_until", "").strip())


def choices_typed(form: dict[str, str], kept: dict[str, Any]) -> dict[str, Any]:
    """The body of the choice. What the page does not show stays: the zone, silences it has no words for."""
    shown = {f"{group}{_PUSH}" for group in KINDS} & set(kept["mutable"])
    language = form.get("language", "")
    return {
        "zone": kept["zone"],
        "quiet_from": form.get("quiet_from", "").strip()[:5] or None,
        "quiet_until": form.get("quiet_until", "").strip()[:5] or None,
        "language": language if language in get_args(Language) else kept["language"],
        "digest": "digest" in form,
        "muted": sorted((set(kept["muted"]) - shown) | {one for one in shown if TOLD + one not in form}),
    }
