"""Hidings, between forms and the contract."""

from typing import Any, Final
from uuid import UUID

from api.pages.scope_words import Words

EVERYBODY: Final = "everybody"
FAMILY: Final = "family"
_FROM: Final[dict[str, Words]] = {
    EVERYBODY: ("Ẩn với mọi người, trừ bạn", "Hidden from everybody but you"),
    FAMILY: ("Ẩn với người nhà thay mặt bạn", "Hidden from relatives who act for you"),
}
_PLACES: Final = {"Encounter": "/me/timeline", "Observation": "/me/results"}


def hidden_row(one: dict[str, Any], *, english: bool) -> dict[str, Any]:
    """One hiding with the entry. place: its page, where it has one."""
    hiding: dict[str, Any] = one["hiding"]
    item = one["item"]
    name = hiding["hidden_from"]
    whom = _FROM[FAMILY if hiding["from_family"] else EVERYBODY][english]
    place = _PLACES.get(hiding["kind"], "")
    return hiding | {
        "title": item["title"],
        "date": item["date"],
        "facility": item.get("facility_name"),
        "from_words": (f"Hidden from {name}" if english else f"Ẩn với {name}") if name else whom,
        "place": f"{place}/{hiding['id']}" if place else "",
    }


def doctors_of(grants: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Whom an entry may be hidden from alone: each doctor once, by the newest grant, live or past."""
    by_name: dict[tuple[str, str], dict[str, Any]] = {}
    for one in grants:
        by_name.setdefault((one["doctor"], one["facility"]), one)
    return list(by_name.values())


def hiding_typed(form: dict[str, str]) -> dict[str, Any] | None:
    """The body of a hiding; None where the form does not say from whom."""
    whom = form.get("from", "")
    body = {"kind": form.get("kind", ""), "id": form.get("id", "")}
    if whom == EVERYBODY:
        return body
    if whom == FAMILY:
        return body | {"from_family": True}
    try:
        return body | {"grant_id": str(UUID(whom))}
    except ValueError:
        return None
