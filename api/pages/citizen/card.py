"""The code that says who this is, insurance cards, the emergency card, and what visits cost."""

from datetime import datetime
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, PathParameter

from api.pages.citizen import card_view as view
from api.pages.citizen.whose import relative_of_book
from api.pages.pictures import svg_address
from api.pages.showing import CITIZEN, Shown, Visit, open_visit
from api.request import Call
from family.problems import NOT_IN_YOUR_CARE
from kernel.clock import local_day
from kernel.problems import ProblemError, Refused

TITLE = ("Thẻ và chi phí", "Card and costs")
CODE = ("Mã của tôi", "My code")
COSTS = ("Chi phí khám chữa bệnh", "Costs of visits")
Year = FromPath[Annotated[int, PathParameter(ge=1900, le=9998)]]
# How many years are offered.
YEARS_BACK = 4


@get("/me/card", operation_id="page_me_card", **CITIZEN)
async def card(call: NamedDependency[Call]) -> Response[bytes]:
    """Insurance cards, this year's costs, the emergency card, and the way to the code."""
    visit = open_visit(call, "citizen")
    cards, year = await _kept(visit, "/v1/me/coverage"), await _kept(visit, "/v1/me/costs")
    emergency = await _kept(visit, "/v1/me/emergency-card")
    return _show_card(visit, cards, year, emergency)


def _show_card(visit: Visit, cards: Any | None, year: Any | None, emergency: Any | None) -> Shown:
    english = visit.display.language == "en"
    return visit.show(
        "citizen/card.html",
        TITLE,
        nav="card",
        cards=view.card_rows(cards, english=english) if cards else None,
        notice=cards["notice_vi"] if cards else "",
        year=year,
        sums=view.sums(year["sums"], english=english) if year else [],
        mine=view.paid_by_me(year["sums"]) if year else None,
        emergency=emergency,
        parts=view.part_words(emergency["parts"], english=english) if emergency else [],
    )


async def _kept(visit: Visit, path: str) -> Any | None:
    """What this reader may see; None where it is for the person and a child's guardian alone."""
    found = await visit.ask(path)
    if isinstance(found, Refused) and found.problem is not NOT_IN_YOUR_CARE:
        raise ProblemError(found)
    return None if isinstance(found, Refused) else found


@get("/me/card/code", operation_id="page_me_code", **CITIZEN)
async def code(call: NamedDependency[Call]) -> Response[bytes]:
    """The code for the desk, drawn anew before its minute is over; htmx asks for this same page."""
    visit = open_visit(call, "citizen")
    found = await visit.read("/v1/me/identification-qr")
    until = datetime.fromisoformat(found["expires_at"])
    return visit.show(
        "citizen/code.html",
        CODE,
        nav="card",
        until=until,
        picture=svg_address(found["svg"]),
        person=await relative_of_book(visit),
    )


@post("/me/card/emergency/off", operation_id="page_me_emergency_off", **CITIZEN)
async def emergency_off(call: NamedDependency[Call]) -> Response[bytes]:
    """Turn the emergency card off; needs no key."""
    visit = open_visit(call, "citizen")
    await visit.form()
    done = await visit.send("DELETE", "/v1/me/emergency-card")
    if isinstance(done, Refused):
        raise ProblemError(done)
    return visit.go("/me/card")


@get("/me/costs/{year:int}", operation_id="page_me_costs", **CITIZEN)
async def costs(year: Year, call: NamedDependency[Call]) -> Response[bytes]:
    """The visits of a year and what each cost."""
    return await _costs(open_visit(call, "citizen"), year, None)


@post("/me/costs/{year:int}", operation_id="page_me_more_costs", **CITIZEN)
async def more_costs(year: Year, call: NamedDependency[Call]) -> Response[bytes]:
    """The next page of a year."""
    visit = open_visit(call, "citizen")
    return await _costs(visit, year, (await visit.form()).get("cursor"))


async def _costs(visit: Visit, year: int, cursor: str | None) -> Response[bytes]:
    english, now = visit.display.language == "en", local_day(visit.call.now).year
    found = await visit.read("/v1/me/costs", year=year, cursor=cursor)
    return visit.show(
        "citizen/costs.html",
        COSTS,
        nav="card",
        year=found,
        years=range(now, now - YEARS_BACK, -1),
        visits=view.year_rows(found, english=english),
        sums=view.sums(found["sums"], english=english),
        mine=view.paid_by_me(found["sums"]),
    )


handlers: list[Any] = [card, code, emergency_off, costs, more_costs]
