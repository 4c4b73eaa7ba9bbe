"""A measurement typed in by hand: which kind, then its value. An address names a kind by its number."""

from typing import Annotated, Any, Final
from uuid import uuid4

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, PathParameter

from api.pages.citizen import vitals_typed_view as view
from api.pages.showing import CITIZEN, Visit, open_visit
from api.problems import NOT_FOUND
from api.request import Call
from kernel.problems import Refused, refuse

TITLE: Final = ("Ghi số đo", "Add a reading")
BATCHES: Final = "/v1/me/vitals/batches"
Kind = FromPath[Annotated[int, PathParameter(ge=1, le=999)]]


@get("/me/vitals/add", operation_id="page_me_vital_kinds", **CITIZEN)
async def kinds(call: NamedDependency[Call]) -> Response[bytes]:
    """What can be typed in."""
    visit = open_visit(call, "citizen")
    return visit.show(
        "citizen/vital_kinds.html", TITLE, nav="vitals", kinds=view.kinds(english=_english(visit))
    )


@get("/me/vitals/add/{ident:int}", operation_id="page_me_vital_form", **CITIZEN)
async def form(ident: Kind, call: NamedDependency[Call]) -> Response[bytes]:
    """The form of one kind, with the time as it is now."""
    return _form(open_visit(call, "citizen"), ident, {})


@post("/me/vitals/add/{ident:int}", operation_id="page_me_vital_add", **CITIZEN)
async def add(ident: Kind, call: NamedDependency[Call]) -> Response[bytes]:
    """Keep it: once, however often the button is pressed."""
    visit = open_visit(call, "citizen")
    typed = await visit.form()
    batch = view.batch_of(_typed(ident), typed, call.now)
    if isinstance(batch, str):
        return _form(visit, ident, typed, wrong=batch)
    done = await visit.send("POST", BATCHES, batch)
    if isinstance(done, Refused):
        return _form(visit, ident, typed, problem=done)
    rejected = done["rejected"]
    return _form(visit, ident, typed, wrong=rejected[0]["code"]) if rejected else visit.go("/me/vitals")


def _typed(ident: int) -> view.Typed:
    found = view.TYPED.get(ident)
    return found or refuse(NOT_FOUND)


def _english(visit: Visit) -> bool:
    return visit.display.language == "en"


def _form(
    visit: Visit, ident: int, typed: dict[str, str], *, wrong: str = "", problem: Refused | None = None
) -> Response[bytes]:
    one, english = _typed(ident), _english(visit)
    return visit.show(
        "citizen/vital_form.html",
        TITLE,
        nav="vitals",
        status=problem.problem.status if problem else 400 if wrong else 200,
        problem=problem,
        ident=ident,
        name=view.name_of(one, english=english),
        one=one,
        unit=view.unit_shown(one),
        typed={"at": view.now_local(visit.call.now), **typed},
        wrong=view.wrong_words(wrong, english=english),
        wrong_field="at" if wrong in view.OF_TIME else "value" if wrong else "",
        contexts=view.contexts_of(one, english=english),
        once=typed.get("once") or str(uuid4()),
    )


handlers: list[Any] = [kinds, form, add]
