"""The book by visits, and one visit: what happened, what was advised, what was given."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency

from api.pages.citizen.entries_view import SHOWING, EntryId, by_part
from api.pages.showing import CITIZEN, Visit, open_visit
from api.request import Call

TITLE: Final = ("Các lần khám", "Visits")
TITLE_ONE: Final = ("Một lần khám", "One visit")
PAGE: Final = 20


@get("/me/timeline", operation_id="page_me_timeline", **CITIZEN)
async def timeline(call: NamedDependency[Call]) -> Response[bytes]:
    """The latest visits and events."""
    return await _show(open_visit(call, "citizen"), None)


@post("/me/timeline", status_code=200, operation_id="page_me_timeline_more", **CITIZEN)
async def more_timeline(call: NamedDependency[Call]) -> Response[bytes]:
    """Older ones. The place in the list goes in the form, not in the address."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    return await _show(visit, form.get("cursor") or None)


async def _show(visit: Visit, cursor: str | None) -> Response[bytes]:
    page = await visit.read("/v1/me/timeline", limit=PAGE, cursor=cursor)
    return visit.show(
        "citizen/timeline.html",
        TITLE,
        nav="timeline",
        entries_of_book=[{**one, "parts": by_part(one["items"])} for one in page["items"]],
        following=page["next"],
        pending=page["pending"],
        waiting=page["waiting"],
        is_first=cursor is None,
        **SHOWING,
    )


@get("/me/timeline/{visit_id:str}", operation_id="page_me_visit", **CITIZEN)
async def one_visit(visit_id: EntryId, call: NamedDependency[Call]) -> Response[bytes]:
    """One visit, what matters first."""
    visit = open_visit(call, "citizen")
    entry = await visit.read(f"/v1/me/encounters/{visit_id}")
    return visit.show(
        "citizen/visit.html",
        TITLE_ONE,
        nav="timeline",
        entry=entry,
        encounter=entry["encounter"],
        parts=by_part(entry["items"]),
        **SHOWING,
    )


handlers: list[Any] = [timeline, more_timeline, one_visit]
