"""A link of the family as a page shows it."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from api.pages.scope_words import SCOPES, Words, said
from family.policy import PROXY_LIFE_MAX
from kernel.clock import add_months

BANDS: Final[dict[str, Words]] = {
    "child": ("dưới 6 tuổi", "under 6"),
    "schoolchild": ("từ 6 đến dưới 15 tuổi", "6 to 14"),
    "youth": ("từ 15 đến dưới 18 tuổi", "15 to 17"),
    "adult": ("người lớn", "adult"),
}
# What a guardian may be shown of somebody from 15 on (PUT /v1/me/family/{person_id}/labels).
GUARDIAN_LABELS: Final = ("HIV", "ETH", "PSY", "SEX", "STD", "GDIS")
MONTHS: Final = ("1", "3", "6", "12")


def relative_card(link: dict[str, Any], *, english: bool = False) -> dict[str, Any]:
    """can_open: whether the book opens now; who still waits to be a guardian sees nothing of it."""
    is_guardian = link["relation"] == "guardian"
    return link | {
        "until": _last_instant(link["until"]),
        "for_them": link["acts"] == "for-them",
        "can_open": link["acts"] == "for-them" and link["starts_at"] is None,
        "waits": link["starts_at"] is not None,
        "relation_words": ("Guardian" if english else "Người giám hộ")
        if is_guardian
        else ("Acts for" if english else "Người thay mặt"),
        "band_words": said(BANDS, link["band"], english=english) if link["band"] else "",
        "may": [said(SCOPES, name, english=english) for name in link["scopes"]],
        "can_end": not is_guardian and not (link["by_court"] and link["acts"] == "for-me"),
    }


def _last_instant(until: str | None) -> str | None:
    """The link stands for the whole of its last day: the contract names the first instant after it."""
    return None if until is None else (datetime.fromisoformat(until) - timedelta(seconds=1)).isoformat()


def household_card(member: dict[str, Any] | None) -> dict[str, Any]:
    """What is due for somebody; empty where the link does not show it."""
    if member is None:
        return {"next_visit": None, "next_dose": None, "requests": 0, "unread": 0}
    return {
        "next_visit": member["next_appointment_at"],
        "next_dose": member["next_dose"],
        "requests": member["waiting_requests"] or 0,
        "unread": member["unread"],
    }


def scope_boxes(form: dict[str, str], *, english: bool) -> list[dict[str, Any]]:
    """What somebody may do for the person; nothing is ticked beforehand."""
    return [
        {"name": f"scope.{name}", "text": words[english], "ticked": f"scope.{name}" in form}
        for name, words in SCOPES.items()
    ]


def last_day(months: str, today: date) -> date | None:
    """Until when somebody acts for the person, at most as long as may be; None for a length that is not
    offered."""
    longest = today + PROXY_LIFE_MAX - timedelta(days=1)
    return min(add_months(today, int(months)), longest) if months in MONTHS else None


def missing(form: dict[str, str], *, english: bool) -> dict[str, str]:
    """What an invitation lacks, by field."""
    found: dict[str, Words] = {}
    if not any(f"scope.{name}" in form for name in SCOPES):
        found["scopes"] = ("Hãy chọn ít nhất một việc.", "Choose at least one thing.")
    if form.get("months") not in MONTHS:
        found["months"] = ("Hãy chọn trong bao lâu.", "Choose for how long.")
    return {name: words[english] for name, words in found.items()}
