"""Insurance cards and costs as a person reads them."""

from typing import Any, Final

TONES: Final = {"valid": "good", "expired": "bad", "not-yet": "warn", "unknown": "plain"}
STATES_EN: Final = {
    "valid": "The card is within the time that the record names.",
    "expired": "The card has ended. A renewed one appears after the next visit.",
    "not-yet": "The card does not count yet.",
    "unknown": "Nobody reported until when the card counts.",
}
STATES: Final = {
    "valid": ("Còn hạn", "Valid"),
    "expired": ("Hết hạn", "Ended"),
    "not-yet": ("Chưa đến hạn dùng", "Not yet valid"),
    "unknown": ("Chưa rõ thời hạn", "Time unknown"),
}
# Sums of a visit or a year, in the order people ask: what I paid first.
SUMS: Final[tuple[tuple[str, str, str], ...]] = (
    ("total", "Tổng chi phí", "Total"),
    ("fund", "Bảo hiểm chi trả (cơ sở đề nghị)", "Insurance pays (as the facility asks)"),
    ("copaid", "Bạn cùng chi trả", "Your share inside the insurance"),
    ("self_paid", "Bạn tự trả ngoài bảo hiểm", "You pay outside the insurance"),
    ("other", "Nguồn khác", "Other sources"),
)
PARTS: Final[dict[str, tuple[str, str]]] = {
    "identity": ("Họ tên, năm sinh, giới tính", "Name, year of birth, sex"),
    "allergies": ("Dị ứng", "Allergies"),
    "blood-group": ("Nhóm máu", "Blood group"),
    "conditions": ("Bệnh đang có", "Conditions"),
    "medicines": ("Thuốc đang dùng", "Medicines"),
    "implants": ("Thiết bị cấy trong người", "Implants"),
    "contacts": ("Người liên hệ khi khẩn cấp", "Emergency contacts"),
}


def card_rows(cards: dict[str, Any], *, english: bool) -> list[dict[str, Any]]:
    """Each card with the mark of its state."""
    return [
        {
            **one,
            "word": STATES[one["state"]][english],
            "tone": TONES[one["state"]],
            "sentence": STATES_EN[one["state"]] if english else one["state_vi"],
        }
        for one in cards["items"]
    ]


def sums(amounts: dict[str, Any] | None, *, english: bool) -> list[tuple[str, int]]:
    """The amounts that are known, each with its words; nothing where none was sent."""
    known = amounts or {}
    return [((vi, en)[english], known[name]) for name, vi, en in SUMS if known.get(name) is not None]


def paid_by_me(amounts: dict[str, Any] | None) -> int | None:
    """What the person paid: inside and outside the insurance; None where neither is known."""
    known = [amounts[name] for name in ("copaid", "self_paid") if amounts and amounts[name] is not None]
    return sum(known) if known else None


def year_rows(year: dict[str, Any], *, english: bool) -> list[dict[str, Any]]:
    """The visits of a year with what each cost."""
    return [
        {**one, "sums": sums(one["amounts"], english=english), "mine": paid_by_me(one["amounts"])}
        for one in year["items"]
    ]


def part_words(parts: list[str], *, english: bool) -> list[str]:
    """What an emergency card shows, in the order of the card."""
    return [PARTS[one][english] for one in PARTS if one in parts]
