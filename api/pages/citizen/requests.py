"""Requests to read the book: those that wait, one of them, and the answer no.

The answer yes stands in `approving.py`. The list asks for itself anew while it is open, but not for ever: a
page that asked on and on would keep a session alive in front of which nobody sits.
"""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, PathParameter

from api.pages.citizen.requests_view import Way, beginnings, boxes, card, label_boxes, lengths, two_ways
from api.pages.citizen.whose import relative_of_book
from api.pages.showing import CITIZEN, Shown, Visit, open_visit
from api.request import Call
from family.problems import NOT_IN_YOUR_CARE
from kernel.clock import local_day
from kernel.problems import ProblemError, Refused

LIST: Final = "/v1/me/access-requests"
TITLE: Final = ("Yêu cầu xem sổ", "Requests to read")
ONE: Final = ("Một yêu cầu xem sổ", "A request to read")
# Every ten seconds for ten minutes.
TURNS_MAX: Final = 60
Turn = Annotated[int, PathParameter(ge=1, le=TURNS_MAX)]


@get("/me/requests", operation_id="page_me_requests", **CITIZEN)
async def waiting(call: NamedDependency[Call]) -> Response[Any]:
    """Requests that wait, and the field for the doctor's code."""
    visit = open_visit(call, "citizen")
    return await show_waiting(visit)


@get("/me/requests/waiting/{turn:int}", operation_id="page_me_requests_again", **CITIZEN)
async def again(turn: FromPath[Turn], call: NamedDependency[Call]) -> Response[Any]:
    """The list alone, for a page that is open."""
    visit = open_visit(call, "citizen")
    members = await _list_members(visit)
    return visit.show("citizen/requests_list.html", TITLE, turn=turn, **members)


@get("/me/requests/answered/{what:str}", operation_id="page_me_requests_answered", **CITIZEN)
async def answered(
    what: FromPath[Literal["refused", "reported"]], call: NamedDependency[Call]
) -> Response[Any]:
    """The list after a request was refused or reported."""
    return await show_waiting(open_visit(call, "citizen"), done=what)


@post("/me/requests/scan", operation_id="page_me_requests_scan", status_code=200, **CITIZEN)
async def scan(call: NamedDependency[Call]) -> Response[Any]:
    """The request behind the doctor's code; its secret word goes on in the form."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    found = await visit.send("POST", f"{LIST}/scan", {"qr": form.get("qr", "").strip()[:4096]})
    if isinstance(found, Refused):
        return await show_waiting(visit, problem=found)
    return await show_request(visit, found["request"], {"scan": found["nonce"]})


@get("/me/requests/{request_id:uuid}", operation_id="page_me_request", **CITIZEN)
async def one(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """One request: who asks for what, less of it, and the three answers."""
    visit = open_visit(call, "citizen")
    return await show_request(visit, await visit.read(f"{LIST}/{request_id}"), {})


@post("/me/requests/{request_id:uuid}/refuse", operation_id="page_me_request_refuse", **CITIZEN)
async def refuse(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """No; the asking side is not told."""
    return await _answer(call, f"{LIST}/{request_id}/refuse", "refused")


@post("/me/requests/{request_id:uuid}/not-me", operation_id="page_me_request_not_me", **CITIZEN)
async def not_me(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """I am not with them: this is looked into."""
    return await _answer(call, f"{LIST}/{request_id}/not-me", "reported")


@post("/me/requests/{request_id:uuid}/assent", operation_id="page_me_request_assent", **CITIZEN)
async def assent(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """A child's own word that the guardian may allow it."""
    visit = open_visit(call, "citizen")
    await visit.form()
    done = await visit.send("POST", f"{LIST}/{request_id}/assent")
    request = await visit.read(f"{LIST}/{request_id}")
    problem = done if isinstance(done, Refused) else None
    return await show_request(visit, request, {}, problem=problem, assented=problem is None)


async def _answer(call: Call, path: str, what: str) -> Shown:
    visit = open_visit(call, "citizen")
    await visit.form()
    done = await visit.send("POST", path)
    if isinstance(done, Refused):
        return await show_waiting(visit, problem=done)
    return visit.go(f"/me/requests/answered/{what}")


async def show_waiting(visit: Visit, *, problem: Refused | None = None, done: str = "") -> Shown:
    """The page of all requests that wait. done: what was just answered."""
    members = await _list_members(visit)
    status = problem.problem.status if problem else 200
    return visit.show(
        "citizen/requests.html",
        TITLE,
        status=status,
        problem=problem,
        nav="requests",
        turn=0,
        done=done,
        person=await relative_of_book(visit),
        **members,
    )


async def show_request(
    visit: Visit,
    request: dict[str, Any],
    form: dict[str, str],
    *,
    problem: Refused | None = None,
    wrong: list[tuple[str, str, str]] | None = None,
    assented: bool = False,
) -> Shown:
    """The page of one request. form: what was chosen before, or the scanned word alone; wrong: its fields."""
    english, today = visit.display.language == "en", local_day(visit.call.now)
    tier: Way = "A" if form.get("scan") else "B"
    person = await relative_of_book(visit)
    return visit.show(
        "citizen/request.html",
        ONE,
        status=problem.problem.status if problem else 422 if wrong else 200,
        problem=problem,
        nav="requests",
        request=card(request, english=english),
        ways=two_ways(request, form, today, english=english),
        boxes=boxes(request, form, english=english),
        labels=label_boxes(request, tier, form, english=english),
        lengths=lengths(request, tier, english=english),
        beginnings=beginnings(request, tier, today, english=english),
        typed=form,
        scanned=tier == "A",
        wrong={name: words[english] for name, *words in wrong or ()},
        person=person,
        needs_assent=bool(person and person["band"] == "schoolchild"),
        assented=assented,
    )


async def _list_members(visit: Visit) -> dict[str, Any]:
    """The requests; a proxy who may only answer sees no list, and scans."""
    english = visit.display.language == "en"
    found = await visit.ask(LIST)
    if isinstance(found, Refused):
        if found.problem is not NOT_IN_YOUR_CARE:
            raise ProblemError(found)
        return {"items": [], "can_list": False, "turns_max": TURNS_MAX}
    items = [card(one, english=english) for one in found["items"]]
    return {"items": items, "can_list": True, "turns_max": TURNS_MAX}


handlers: list[Any] = [waiting, again, answered, scan, one, refuse, not_me, assent]
