"""Searching the own book. What is searched for goes in a form, never in an address (S34)."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency

from api.pages.citizen.entries_view import SHOWING, Entry
from api.pages.showing import CITIZEN, open_visit
from api.request import Call
from kernel.problems import Refused

TITLE: Final = ("Tìm trong sổ", "Search the book")
SHORTEST: Final = 2
LONGEST: Final = 100
# Where an entry of a kind is shown; addresses hold its id at most.
_PAGES: Final = {
    "MedicationRequest": "/me/medicines",
    "MedicationStatement": "/me/medicines",
    "Immunization": "/me/vaccination",
    "DocumentReference": "/me/documents",
}


@get("/me/search", operation_id="page_me_search", **CITIZEN)
async def search(call: NamedDependency[Call]) -> Response[bytes]:
    """The field alone."""
    visit = open_visit(call, "citizen")
    return visit.show(
        "citizen/search.html", TITLE, nav="timeline", words="", found=None, error=None, **SHOWING
    )


@post("/me/search", status_code=200, operation_id="page_me_search_for", **CITIZEN)
async def search_for(call: NamedDependency[Call]) -> Response[bytes]:
    """What the book has of these words; tone marks count for nothing."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    words = " ".join(form.get("words", "").split())[:LONGEST]
    shown = {"nav": "timeline", "words": words, "address_of": address_of, **SHOWING}
    if len(words) < SHORTEST:
        return visit.show("citizen/search.html", TITLE, status=400, found=None, error="short", **shown)
    found = await visit.ask("/v1/me/search", q=words, cursor=form.get("cursor"))
    if isinstance(found, Refused):
        status = found.problem.status
        return visit.show(
            "citizen/search.html", TITLE, status=status, problem=found, found=None, error=None, **shown
        )
    return visit.show("citizen/search.html", TITLE, found=found, error=None, **shown)


def address_of(entry: Entry) -> str:
    """Where an entry is shown; empty where it has no page of its own."""
    kind = entry["kind"]
    if kind == "Encounter":
        return f"/me/timeline/{entry['id']}"
    if kind in ("Observation.laboratory", "Observation.other") and entry.get("value"):
        return f"/me/results/{entry['id']}"
    return _PAGES.get(kind, "")


handlers: list[Any] = [search, search_for]
