"""What the person hides, and from whom: whoever it is hidden from sees a book that never had it."""

from typing import Any, Final, get_args
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.citizen.hidden_view import doctors_of, hidden_row, hiding_typed
from api.pages.citizen.whose import relative_of_book
from api.pages.showing import CITIZEN, Shown, Visit, open_visit
from api.problems import NOT_FOUND
from api.request import Call
from ehr.visibility.models import HidableType
from ehr.visibility.problems import UNKNOWN_HIDING
from kernel.problems import Refused, refuse

PATH: Final = "/me/hidden"
HIDINGS: Final = "/v1/me/hidings"
TITLE: Final = ("Mục bạn đã ẩn", "What you hide")
NEW: Final = ("Ẩn một mục", "Hide an entry")
GRANTS_MAX: Final = 50


@get(PATH, operation_id="page_me_hidden", **CITIZEN)
async def hidden(call: NamedDependency[Call]) -> Response[Any]:
    """The newest first."""
    return await _list(open_visit(call, "citizen"))


@post(f"{PATH}/new", operation_id="page_me_hide_form", status_code=200, **CITIZEN)
async def new(call: NamedDependency[Call]) -> Response[Any]:
    """From whom to hide an entry that another page names."""
    visit = open_visit(call, "citizen")
    return await _form(visit, await visit.form())


@post(PATH, operation_id="page_me_hide", **CITIZEN)
async def hide(call: NamedDependency[Call]) -> Response[Any]:
    """Hidden from the next request on."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    body = hiding_typed(form)
    if body is None:
        return await _form(visit, form, wrong=True)
    done = await visit.send("POST", HIDINGS, body)
    return await _form(visit, form, problem=done) if isinstance(done, Refused) else visit.go(PATH)


@post(f"{PATH}/{{hiding_id:uuid}}/show", operation_id="page_me_show_again", **CITIZEN)
async def show_again(hiding_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """Whoever may read the book sees it again."""
    visit = open_visit(call, "citizen")
    await visit.form()
    done = await visit.send("DELETE", f"{HIDINGS}/{hiding_id}")
    if isinstance(done, Refused) and done.problem is not UNKNOWN_HIDING:
        return await _list(visit, problem=done)
    return visit.go(PATH)


async def _list(visit: Visit, *, problem: Refused | None = None) -> Shown:
    found = await visit.read(HIDINGS)
    return visit.show(
        "citizen/hidden.html",
        TITLE,
        status=problem.problem.status if problem else 200,
        problem=problem,
        nav="sharing",
        items=[hidden_row(one, english=visit.display.language == "en") for one in found["items"]],
        person=await relative_of_book(visit),
    )


async def _form(
    visit: Visit, form: dict[str, str], *, problem: Refused | None = None, wrong: bool = False
) -> Shown:
    """wrong: it was not said from whom."""
    if form.get("kind") not in get_args(HidableType) or not form.get("id"):
        refuse(NOT_FOUND)
    return visit.show(
        "citizen/hide.html",
        NEW,
        status=problem.problem.status if problem else 422 if wrong else 200,
        problem=problem,
        nav="sharing",
        typed=form,
        wrong=wrong,
        doctors=doctors_of((await visit.read("/v1/me/grants", limit=GRANTS_MAX))["items"]),
        person=await relative_of_book(visit),
    )


handlers: list[Any] = [hidden, new, hide, show_again]
