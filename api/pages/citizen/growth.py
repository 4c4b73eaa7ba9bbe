"""How a child grows, beside WHO's standards."""

from typing import Annotated, Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, PathParameter

from api.pages.citizen import growth_view as view
from api.pages.showing import CITIZEN, Visit, open_visit
from api.problems import NOT_FOUND
from api.request import Call
from ehr.growth.problems import CHILDREN_ONLY, PERSON_UNCLEAR
from kernel.problems import ProblemError, Refused, refuse

TITLE = ("Tăng trưởng", "Growth")
Ident = FromPath[Annotated[int, PathParameter(ge=1, le=99)]]


@get("/me/growth", operation_id="page_me_growth", **CITIZEN)
async def growth(call: NamedDependency[Call]) -> Response[bytes]:
    """The newest of each measure in words; one picture and its table. For adults a sentence."""
    return await _show(open_visit(call, "citizen"), None)


@get("/me/growth/{ident:int}", operation_id="page_me_growth_measure", **CITIZEN)
async def growth_measure(ident: Ident, call: NamedDependency[Call]) -> Response[bytes]:
    """Another measure's picture and table. A page carries one picture: they are large."""
    return await _show(open_visit(call, "citizen"), ident)


async def _show(visit: Visit, ident: int | None) -> Response[bytes]:
    found = await visit.ask("/v1/me/growth")
    if isinstance(found, Refused):
        if found.problem not in (CHILDREN_ONLY, PERSON_UNCLEAR):
            raise ProblemError(found)
        return visit.show(
            "citizen/growth.html", TITLE, nav="vaccination", found=None, why=found.problem, measures=[]
        )
    measures = view.measures(found, english=visit.display.language == "en")
    drawn = [one for one in measures if ident in (None, one["ident"])][:1]
    if ident is not None and not drawn:
        refuse(NOT_FOUND)
    for one in drawn:
        picture = await visit.picture(f"/v1/me/{one['chart']}")
        one["picture"] = None if isinstance(picture, Refused) else picture
    return visit.show(
        "citizen/growth.html",
        TITLE,
        nav="vaccination",
        found=found,
        why=None,
        measures=measures,
        drawn=drawn,
    )


handlers: list[Any] = [growth, growth_measure]
