"""What lets somebody read the book, as a page shows it: grants, links, apps, and everybody in one list."""

from datetime import datetime
from typing import Any, Final

from api.pages.scope_words import DAY, HOUR, LABELS, PURPOSES, Words, kinds, said

# What was agreed for less is asked for anew (consent.md §3.3).
RENEWABLE: Final = 7 * DAY
# How a grant stands, with the tone of its mark.
STATES: Final[dict[str, tuple[str, Words]]] = {
    "live": ("good", ("Đang xem được", "Can read now")),
    "not-yet": ("warn", ("Sắp bắt đầu", "Begins soon")),
    "held": ("warn", ("Tạm dừng, chờ bạn xác nhận", "On hold until you confirm")),
    "locked": ("warn", ("Đã khóa vì nhập sai mật mã", "Locked after wrong passcodes")),
    "expired": ("plain", ("Đã hết hạn", "Ran out")),
    "revoked": ("plain", ("Bạn đã dừng", "You ended it")),
    "ended": ("plain", ("Bạn đã dừng", "You ended it")),
    "given-back": ("plain", ("Người xem đã trả lại quyền", "They gave it back")),
    "superseded": ("plain", ("Đã thay bằng bản mới", "Replaced by a newer one")),
    "narrowed": ("plain", ("Đã thu hẹp thành bản mới", "Narrowed into a newer one")),
}
LIVE: Final = ("live", "not-yet", "held", "locked")
CONTENTS: Final[dict[str, Words]] = {
    "ips": ("Tóm tắt sổ", "Summary"),
    "book": ("Toàn bộ sổ (PDF)", "The whole book (PDF)"),
    "sheet": ("Tóm tắt một trang (PDF)", "One-page summary (PDF)"),
    "document": ("Giấy tờ", "Document"),
}
STANDINGS: Final[dict[str, Words]] = {
    "grant": ("Bạn đã cho xem", "You let them read"),
    "delegation": ("Điều dưỡng được bác sĩ giao cùng xem", "A nurse, at the doctor's request"),
    "link": ("Liên kết chia sẻ", "Share link"),
    "share-code": ("Mã chia sẻ chưa dùng", "A share code, not used yet"),
    "app": ("Ứng dụng hoặc đối tác", "App or partner"),
    "emergency-card": ("Thẻ khẩn cấp của bạn", "Your emergency card"),
    "break-glass": ("Mở khẩn cấp, chưa hỏi bạn", "Opened in an emergency, without asking"),
    "guardian": ("Người giám hộ", "Guardian"),
    "proxy": ("Người thay mặt bạn", "Acts for you"),
    "proxy-invitation": ("Lời mời thay mặt chưa dùng", "An invitation to act for you, not used yet"),
}
# Where each of them is looked at or ended by itself.
PLACES: Final[dict[str, str]] = {
    "grant": "/me/sharing/grants/{id}",
    "link": "/me/sharing/links/{id}",
    "app": "/me/sharing",
    "guardian": "/me/family",
    "proxy": "/me/family",
    "proxy-invitation": "/me/family",
    "share-code": "/me/sharing",
    "break-glass": "/me/emergency",
}


def grant_card(grant: dict[str, Any], *, english: bool) -> dict[str, Any]:
    """A grant with its state, kinds and purpose in words."""
    tone, words = STATES[grant["state"]]
    return grant | {
        "tone": tone,
        "state_words": words[english],
        "is_open": grant["state"] in LIVE,
        "can_renew": grant["state"] == "live" and grant["presence"] and _lasts(grant) >= RENEWABLE,
        "kinds": kinds(grant["types"], english=english),
        "let_in": [said(LABELS, label, english=english) for label in grant["labels"]],
        "purpose_words": said(PURPOSES, grant["purpose"], english=english),
    }


def _lasts(grant: dict[str, Any]) -> int:
    seconds: int = renewal_of(grant)["duration_seconds"]
    return seconds


def confirm_facts(grant: dict[str, Any]) -> dict[str, Any]:
    """What is signed to let a held grant stand (consent/holds.py): all of it."""
    return {
        **{name: grant[name] for name in ("grant_id", "doctor", "licence", "facility", "version")},
        "types": sorted(grant["types"]),
        **{name: grant[name] for name in ("labels", "since", "until")},
        "ends": int(datetime.fromisoformat(grant["ends_at"]).timestamp()),
    }


def renewal_of(grant: dict[str, Any]) -> dict[str, Any]:
    """The same again, as long as it was, counted from now; what is sensitive is never renewed."""
    begun, ends = (datetime.fromisoformat(grant[name]) for name in ("starts_at", "ends_at"))
    return {
        "types": sorted(grant["types"]),
        "since": grant["since"],
        "until": grant["until"],
        "duration_seconds": int((ends - begun).total_seconds()),
    }


def renewal_facts(grant: dict[str, Any]) -> dict[str, Any]:
    """What is signed to renew (consent/grants/renewal.py)."""
    named = ("grant_id", "version", "doctor", "licence", "facility", "purpose")
    return {name: grant[name] for name in named} | renewal_of(grant)


def narrower_ends(grant: dict[str, Any], now: datetime, *, english: bool) -> list[tuple[str, str]]:
    """Ends that are earlier than the grant's own, as (value, words); the value is an instant."""
    ends = datetime.fromisoformat(grant["ends_at"])
    hours = [
        (1, ("1 giờ nữa", "In 1 hour")),
        (24, ("24 giờ nữa", "In 24 hours")),
        (168, ("7 ngày nữa", "In 7 days")),
    ]
    left = (ends - now).total_seconds()
    return [(str(count), words[english]) for count, words in hours if count * HOUR < left]


def link_card(link: dict[str, Any], *, english: bool) -> dict[str, Any]:
    """A share link with its state in words. shown: what whoever opens it sees."""
    tone, words = STATES[link["state"]]
    parts = dict.fromkeys(content.partition("/")[0] for content in link["contents"])
    return link | {
        "tone": tone,
        "state_words": words[english],
        "is_open": link["state"] in LIVE,
        "shown": [said(CONTENTS, part, english=english) for part in parts],
    }


def app_card(app: dict[str, Any], *, english: bool) -> dict[str, Any]:
    """A connected app or partner with its state and what it may read, in words."""
    tone, words = STATES[app["state"]]
    return app | {
        "tone": tone,
        "state_words": words[english],
        "is_open": app["state"] in LIVE,
        "kinds": kinds(
            [*app["groups"], *app["types"]] if app["kind"] == "app" else app["groups"], english=english
        ),
        "kind_words": ("partner" if english else "đối tác")
        if app["kind"] == "partner"
        else "app"
        if english
        else "ứng dụng",
    }


def standing_card(one: dict[str, Any], *, english: bool) -> dict[str, Any]:
    """what: kinds of entries of a grant, parts of a link or of the card; empty for the whole book."""
    known = [name for name in one["what"] if name not in CONTENTS]
    parts = [said(CONTENTS, name, english=english) for name in one["what"] if name in CONTENTS]
    return one | {
        "kind_words": STANDINGS[one["kind"]][english],
        "what_words": [*parts, *kinds(known, english=english)] if one["what"] else [],
        "place": PLACES.get(one["kind"], "").format(id=one["id"]),
        "tone": "bad" if one["kind"] == "break-glass" else "warn" if one["held"] else "good",
    }
