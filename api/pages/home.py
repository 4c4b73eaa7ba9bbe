"""The first page: before the sign-in what this is and the ways in, after it today."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from api.pages.citizen.today import today
from api.pages.showing import CITIZEN, Shown, Visit, any_visit
from api.request import Call


@get("/", operation_id="page_home", **CITIZEN)
async def home(call: NamedDependency[Call]) -> Response[Any]:
    """Today of who is signed in; else where to go from here."""
    visit = any_visit(call, "citizen")
    return await today(visit) if visit.token else front(visit)


def front(visit: Visit) -> Shown:
    """What this is, in plain words, and the ways in."""
    title = ("Hồ sơ sức khỏe trong tay bạn", "Your health record in your hands")
    return visit.show("public/front.html", title)


handlers: list[Any] = [home]
