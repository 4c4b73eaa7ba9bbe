"""The vaccination book as SMART Health Cards: made on demand, shown code by code, taken as a file."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.citizen.certificates import HEALTH_CARDS
from api.pages.showing import CITIZEN, open_visit
from api.problems import NOT_FOUND
from api.request import Call
from kernel.problems import ProblemError, Refused, refuse

TITLE = ("Thẻ sức khỏe", "Health card")
BOOKS: Final = frozenset({"childhood", "adult"})


@post("/me/health-cards", operation_id="page_me_make_card", **CITIZEN)
async def make(call: NamedDependency[Call]) -> Response[bytes]:
    """Make a card of one book; the one that says all there is stays."""
    visit = open_visit(call, "citizen")
    book = (await visit.form()).get("book", "")
    if book not in BOOKS:
        refuse(NOT_FOUND)
    made = await visit.send("POST", HEALTH_CARDS, {"book": book})
    if isinstance(made, Refused):
        raise ProblemError(made)
    return visit.go(f"/me/health-cards/{made['card_id']}")


@get("/me/health-cards/{card_id:uuid}", operation_id="page_me_health_card", **CITIZEN)
async def card(card_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Every code of a card, one under the other."""
    visit = open_visit(call, "citizen")
    texts = await visit.read(f"{HEALTH_CARDS}/{card_id}")
    codes = []
    for number in range(1, len(texts["codes"]) + 1):
        picture = await visit.picture(f"{HEALTH_CARDS}/{card_id}/code.svg", number=number)
        if isinstance(picture, Refused):
            raise ProblemError(picture)
        codes.append(picture)
    return visit.show("citizen/health_card.html", TITLE, nav="vaccination", card_id=card_id, codes=codes)


@get(
    "/me/health-cards/{card_id:uuid}/download/card.smart-health-card",
    operation_id="page_me_health_card_file",
    **CITIZEN,
)
async def file(card_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The file that phones put into their wallet."""
    return open_visit(call, "citizen").download(f"{HEALTH_CARDS}/{card_id}/card.smart-health-card")


handlers: list[Any] = [make, card, file]
