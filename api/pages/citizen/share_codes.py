"""A code for a doctor with an account here: eight characters, once, within ten minutes; the key makes it."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency

from api.pages.citizen.requests_view import TYPE, boxes
from api.pages.citizen.share_links import svg_data
from api.pages.scope_words import DAY, HOUR, duration, kinds
from api.pages.showing import CITIZEN, Shown, Visit, open_visit
from api.pages.signing import signed_act, text_to_sign
from api.request import Call
from consent.policy import DEFAULT_TYPES
from consent.share_codes.service import CODE_TYP
from kernel.problems import Refused

TITLE: Final = ("Mã cho bác sĩ", "A code for a doctor")
LENGTHS: Final = (HOUR, DAY, 7 * DAY, 30 * DAY)
# A page does not learn how the key was unlocked, and claims the weaker way.
UNLOCK: Final = "pin"
ASKABLE: Final = sorted(DEFAULT_TYPES)
Choice = dict[str, Any]


@get("/me/sharing/codes/new", operation_id="page_me_code_new", **CITIZEN)
async def new(call: NamedDependency[Call]) -> Response[Any]:
    """What whoever redeems it may read, and how long."""
    return _show_new(open_visit(call, "citizen"), None)


@post("/me/sharing/codes/review", operation_id="page_me_code_review", status_code=200, **CITIZEN)
async def review(call: NamedDependency[Call]) -> Response[Any]:
    """What will be signed, in words."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    choice = _choice(form)
    if choice is None:
        return _show_new(visit, form, wrong=True)
    english = visit.display.language == "en"
    return visit.show(
        "citizen/code_review.html",
        TITLE,
        nav="sharing",
        signing=await text_to_sign(visit, CODE_TYP, **choice),
        kinds=kinds(choice["types"], english=english),
        length=duration(choice["duration_seconds"], english=english),
        fields={f"{TYPE}{name}": "1" for name in choice["types"]} | {"duration": form["duration"]},
    )


@post("/me/sharing/codes", operation_id="page_me_code_make", status_code=200, **CITIZEN)
async def make(call: NamedDependency[Call]) -> Response[Any]:
    """The code, shown this once."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    choice = _choice(form)
    if choice is None:
        return _show_new(visit, form, wrong=True)
    made = await visit.send("POST", "/v1/me/share-codes", choice | {"signed": signed_act(form)})
    if isinstance(made, Refused):
        return _show_new(visit, form, problem=made)
    return visit.show(
        "citizen/code_made.html", TITLE, nav="sharing", made=made, picture=svg_data(made["svg"])
    )


def _show_new(
    visit: Visit, form: dict[str, str] | None, *, problem: Refused | None = None, wrong: bool = False
) -> Shown:
    english = visit.display.language == "en"
    return visit.show(
        "citizen/code_new.html",
        TITLE,
        status=problem.problem.status if problem else 422 if wrong else 200,
        problem=problem,
        nav="sharing",
        typed=form or {},
        wrong=wrong,
        boxes=boxes({"types": ASKABLE}, form, english=english),
        lengths=[(one, duration(one, english=english)) for one in LENGTHS],
    )


def _choice(form: dict[str, str]) -> Choice | None:
    """What a form lets the doctor read; None where it names nothing or no length."""
    types, lasts = [name for name in ASKABLE if TYPE + name in form], form.get("duration", "")
    if not types or lasts not in {str(one) for one in LENGTHS}:
        return None
    return {
        "types": types,
        "since": None,
        "until": None,
        "duration_seconds": int(lasts),
        "labels": [],
        "unlock": UNLOCK,
    }


handlers: list[Any] = [new, review, make]
