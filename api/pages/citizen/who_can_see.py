"""Everybody who can open the book, in one list, and the act that ends all of it: without script or key."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.citizen.grants_view import standing_card
from api.pages.showing import CITIZEN, Shown, Visit, open_visit
from api.problems import NOT_FOUND
from api.request import Call
from kernel.problems import Refused, refuse

LIST: Final = "/v1/me/who-can-see-me"
TITLE: Final = ("Ai xem được sổ của tôi", "Who can see me")
# How the contract ends each of them; who acts for whom ends on the family's page.
_ENDS: Final = {
    "grant": ("DELETE", "/v1/me/grants/{id}"),
    "delegation": ("DELETE", "/v1/me/delegations/{id}"),
    "link": ("DELETE", "/v1/me/share-links/{id}"),
    "share-code": ("DELETE", "/v1/me/share-codes/{id}"),
    "app": ("DELETE", "/v1/me/connected-apps/{id}"),
    "break-glass": ("POST", "/v1/me/emergency-access/{id}/end"),
    "proxy-invitation": ("DELETE", "/v1/me/proxies/invitations/{id}"),
}


@get("/me/who-can-see-me", operation_id="page_me_who_can_see", **CITIZEN)
async def who_can_see(call: NamedDependency[Call]) -> Response[Any]:
    """The list."""
    return await _show(open_visit(call, "citizen"))


@get("/me/who-can-see-me/ended", operation_id="page_me_who_can_see_ended", **CITIZEN)
async def ended(call: NamedDependency[Call]) -> Response[Any]:
    """The list after all of it was ended."""
    return await _show(open_visit(call, "citizen"), done=True)


@post("/me/who-can-see-me/end-all", operation_id="page_me_end_all", **CITIZEN)
async def end_all(call: NamedDependency[Call]) -> Response[Any]:
    """The next request of each is refused."""
    visit = open_visit(call, "citizen")
    await visit.form()
    done = await visit.send("POST", f"{LIST}/end-all")
    return (
        await _show(visit, problem=done)
        if isinstance(done, Refused)
        else visit.go("/me/who-can-see-me/ended")
    )


@post("/me/who-can-see-me/{one_id:uuid}/end", operation_id="page_me_end_one", **CITIZEN)
async def end_one(one_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """One of them."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    if form.get("kind") not in _ENDS:
        refuse(NOT_FOUND)
    method, place = _ENDS[form["kind"]]
    done = await visit.send(method, place.format(id=one_id))
    return await _show(visit, problem=done) if isinstance(done, Refused) else visit.go("/me/who-can-see-me")


async def _show(visit: Visit, *, problem: Refused | None = None, done: bool = False) -> Shown:
    found = await visit.read(LIST)
    cards = [standing_card(one, english=visit.display.language == "en") for one in found["items"]]
    return visit.show(
        "citizen/who_can_see.html",
        TITLE,
        status=problem.problem.status if problem else 200,
        problem=problem,
        nav="sharing",
        items=cards,
        endable=_ENDS,
        done=done,
    )


handlers: list[Any] = [who_can_see, ended, end_all, end_one]
