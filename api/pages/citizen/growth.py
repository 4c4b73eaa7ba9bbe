"""How a child grows, beside WHO's standards."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from api.pages.citizen import growth_view as view
from api.pages.showing import CITIZEN, Visit, open_visit
from api.request import Call
from ehr.growth.problems import CHILDREN_ONLY, PERSON_UNCLEAR
from kernel.problems import ProblemError, Refused


@get("/me/growth", operation_id="page_me_growth", **CITIZEN)
async def growth(call: NamedDependency[Call]) -> Response[bytes]:
    """The newest of each measure in words, with its picture and its table. For adults one sentence."""
    visit = open_visit(call, "citizen")
    found = await visit.ask("/v1/me/growth")
    if isinstance(found, Refused) and found.problem not in (CHILDREN_ONLY, PERSON_UNCLEAR):
        raise ProblemError(found)
    is_there = not isinstance(found, Refused)
    return visit.show(
        "citizen/growth.html",
        ("Tăng trưởng", "Growth"),
        nav="vaccination",
        found=found if is_there else None,
        why=None if is_there else found.problem,
        measures=await _drawn(visit, found) if is_there else [],
    )


async def _drawn(visit: Visit, found: Any) -> list[dict[str, Any]]:
    made = view.measures(found, english=visit.display.language == "en")
    for one in made:
        picture = await visit.picture(f"/v1/me/{one['chart']}")
        one["picture"] = None if isinstance(picture, Refused) else picture
    return made


handlers: list[Any] = [growth]
