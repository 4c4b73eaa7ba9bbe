"""Results stacked by test, and one test over time."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency

from api.pages.citizen.entries_view import SHOWING, EntryId
from api.pages.citizen.results_view import by_test, drawing_of
from api.pages.showing import CITIZEN, Visit, open_visit
from api.request import Call

TITLE: Final = ("Kết quả", "Results")
TITLE_ONE: Final = ("Kết quả qua các lần", "A result over time")
PAGE: Final = 100


@get("/me/results", operation_id="page_me_results", **CITIZEN)
async def results(call: NamedDependency[Call]) -> Response[bytes]:
    """The newest results, by test."""
    return await _show(open_visit(call, "citizen"), None)


@post("/me/results", status_code=200, operation_id="page_me_results_more", **CITIZEN)
async def more_results(call: NamedDependency[Call]) -> Response[bytes]:
    """Older results. The place in the list goes in the form, not in the address."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    return await _show(visit, form.get("cursor") or None)


async def _show(visit: Visit, cursor: str | None) -> Response[bytes]:
    page = await visit.read("/v1/me/results", limit=PAGE, cursor=cursor)
    return visit.show(
        "citizen/results.html",
        TITLE,
        nav="results",
        tests=by_test(page["items"]),
        following=page["next"],
        is_first=cursor is None,
        **SHOWING,
    )


@get("/me/results/{result_id:str}", operation_id="page_me_result", **CITIZEN)
async def result(result_id: EntryId, call: NamedDependency[Call]) -> Response[bytes]:
    """One test over time. The address holds the id of a result: its code goes to the service alone (S34)."""
    visit = open_visit(call, "citizen")
    entry = (await visit.read(f"/v1/me/results/{result_id}"))["result"]
    trend: dict[str, Any] = {"series": []}
    if entry.get("code"):
        trend = await visit.read("/v1/me/results/trend", code=entry["code"])
    drawn = [drawing_of(one, english=visit.display.language == "en") for one in trend["series"]]
    return visit.show("citizen/result.html", TITLE_ONE, nav="results", entry=entry, drawings=drawn, **SHOWING)


handlers: list[Any] = [results, more_results, result]
