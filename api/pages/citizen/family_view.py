"""A link of the family as a page shows it."""

from datetime import date
from typing import Any, Final

from api.pages.scope_words import SCOPES, Words, said
from kernel.clock import add_months

BANDS: Final[dict[str, Words]] = {
    "child": ("dưới 6 tuổi", "under 6"),
    "schoolchild": ("từ 6 đến dưới 15 tuổi", "6 to 14"),
    "youth": ("từ 15 đến dưới 18 tuổi", "15 to 17"),
    "adult": ("người lớn", "adult"),
}
MONTHS: Final = ("1", "3", "6", "12")


def relative_card(link: dict[str, Any], *, english: bool = False) -> dict[str, Any]:
    """can_open: whether the book opens now; who still waits to be a guardian sees nothing of it."""
    is_guardian = link["relation"] == "guardian"
    return link | {
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
    """Until when an invitation stands; None for a length that is not offered. A year is 365 days at most."""
    return (
        min(add_months(today, int(months)), date.fromordinal(today.toordinal() + 365))
        if months in MONTHS
        else None
    )
