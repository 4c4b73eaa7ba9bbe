"""Emergency access as its person sees it: every time, its end, and the word that it should not have been."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.citizen.emergency_view import DISPUTES, TEXT_MAX, emergency_card
from api.pages.citizen.whose import relative_of_book
from api.pages.showing import CITIZEN, Shown, Visit, open_visit
from api.request import Call
from consent.emergency.problems import UNKNOWN_EMERGENCY
from kernel.problems import Refused

LIST: Final = "/v1/me/emergency-access"
TITLE: Final = ("Mở sổ khẩn cấp", "Emergency access")
PAGE: Final = 20


@get("/me/emergency", operation_id="page_me_emergency", **CITIZEN)
async def emergencies(call: NamedDependency[Call]) -> Response[Any]:
    """The newest first."""
    return await _show(open_visit(call, "citizen"), {})


@post("/me/emergency", operation_id="page_me_emergency_more", status_code=200, **CITIZEN)
async def more(call: NamedDependency[Call]) -> Response[Any]:
    """Those before."""
    visit = open_visit(call, "citizen")
    return await _show(visit, await visit.form())


@post("/me/emergency/{emergency_id:uuid}/end", operation_id="page_me_emergency_end", **CITIZEN)
async def end(emergency_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """The next request under it is refused."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    done = await visit.send("POST", f"{LIST}/{emergency_id}/end")
    return await _after(visit, form, done)


@post("/me/emergency/{emergency_id:uuid}/dispute", operation_id="page_me_emergency_dispute", **CITIZEN)
async def dispute(emergency_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """It should not have been: it ends, and is reviewed."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    if form.get("reason") not in DISPUTES:
        return await _show(visit, form, wrong=str(emergency_id))
    said = {"reason": form["reason"], "text": form.get("text", "").strip()[:TEXT_MAX] or None}
    done = await visit.send("POST", f"{LIST}/{emergency_id}/dispute", said)
    return await _after(visit, form, done)


async def _after(visit: Visit, form: dict[str, str], done: Any | Refused) -> Shown:
    if isinstance(done, Refused) and done.problem is not UNKNOWN_EMERGENCY:
        return await _show(visit, form, problem=done)
    return visit.go("/me/emergency")


async def _show(
    visit: Visit, form: dict[str, str], *, problem: Refused | None = None, wrong: str = ""
) -> Shown:
    """wrong: the one of whose form a reason is missing."""
    found = await visit.read(LIST, limit=PAGE, cursor=form.get("cursor") or None)
    english = visit.display.language == "en"
    return visit.show(
        "citizen/emergency.html",
        TITLE,
        status=problem.problem.status if problem else 422 if wrong else 200,
        problem=problem,
        nav="log",
        items=[emergency_card(one, english=english) for one in found["items"]],
        next=found["next"],
        reasons=[(name, words[english]) for name, words in DISPUTES.items()],
        typed=form,
        wrong=wrong,
        text_max=TEXT_MAX,
        person=await relative_of_book(visit),
    )


handlers: list[Any] = [emergencies, more, end, dispute]
