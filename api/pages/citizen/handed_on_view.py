"""What left for partners, and purposes that data may be used for, in words."""

from typing import Any, Final

from api.pages.scope_words import Words, kinds
from consent.purposes.catalogue import KEYS
from consent.purposes.service import State

PURPOSE_KEYS: Final = frozenset(str(key) for key in KEYS)
STATES: Final[dict[State, tuple[str, Words]]] = {
    "by-law": ("plain", ("Theo luật", "By law")),
    "unanswered": ("warn", ("Bạn chưa trả lời", "You have not answered")),
    "agreed": ("good", ("Bạn đã đồng ý", "You agreed")),
    "refused": ("plain", ("Bạn không đồng ý", "You do not agree")),
    "asked-again": ("warn", ("Lời hỏi đã đổi, cần trả lời lại", "The words changed; please answer again")),
}


def disclosure_row(one: dict[str, Any], *, english: bool) -> dict[str, Any]:
    """One answer to a partner with the parts of the book it held."""
    return one | {"kinds": kinds(one["groups"], english=english)}


def purpose_card(one: dict[str, Any], withdrawals: list[dict[str, Any]], *, english: bool) -> dict[str, Any]:
    """A purpose in the reader's language. withdrawal: the newest, of one that was taken back."""
    tone, words = STATES[one["state"]]
    text = next(said for said in one["words"] if said["lang"] == ("en" if english else "vi"))
    return one | {
        "tone": tone,
        "state_words": words[english],
        "text": text,
        "can_agree": one["state"] in ("unanswered", "refused", "asked-again"),
        "can_refuse": one["state"] in ("unanswered", "asked-again"),
        "can_withdraw": one["state"] == "agreed",
        "withdrawal": withdrawals[0] if withdrawals else None,
    }


def facts_of(card: dict[str, Any]) -> dict[str, str]:
    """What is signed with a yes: the purpose in the words that were shown."""
    return {
        "purpose": card["purpose"],
        "version": card["version"],
        "lang": card["text"]["lang"],
        "text_sha256": card["text"]["sha256"],
    }
