"""A code for a doctor with an account here: eight characters, once, within ten minutes; the key makes it."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency

from api.pages.citizen.requests_view import SOME, TYPE, Problem, boxes, chosen_types, what_way
from api.pages.pictures import svg_address
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
    return _show_new(open_visit(call, "citizen"), {})


@post("/me/sharing/codes/review", operation_id="page_me_code_review", status_code=200, **CITIZEN)
async def review(call: NamedDependency[Call]) -> Response[Any]:
    """What will be signed, in words."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    choice = _choice(form)
    if isinstance(choice, list):
        return _show_new(visit, form, wrong=choice)
    english = visit.display.language == "en"
    return visit.show(
        "citizen/code_review.html",
        TITLE,
        nav="sharing",
        signing=await text_to_sign(visit, CODE_TYP, **choice),
        kinds=kinds(choice["types"], english=english),
        length=duration(choice["duration_seconds"], english=english),
        fields=_fields(choice),
    )


@post("/me/sharing/codes", operation_id="page_me_code_make", status_code=200, **CITIZEN)
async def make(call: NamedDependency[Call]) -> Response[Any]:
    """The code, shown this once."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    choice = _choice(form)
    if isinstance(choice, list):
        return _show_new(visit, form, wrong=choice)
    made = await visit.send("POST", "/v1/me/share-codes", choice | {"signed": signed_act(form)})
    if isinstance(made, Refused):
        return _show_new(visit, form, problem=made)
    return visit.show(
        "citizen/code_made.html", TITLE, nav="sharing", made=made, picture=svg_address(made["svg"])
    )


def _fields(choice: Choice) -> dict[str, str]:
    """The same as members of a form."""
    ticked = {f"{TYPE}{name}": "1" for name in choice["types"]}
    return {**ticked, "what": SOME, "duration": str(choice["duration_seconds"])}


def _show_new(
    visit: Visit,
    form: dict[str, str],
    *,
    problem: Refused | None = None,
    wrong: list[Problem] | None = None,
) -> Shown:
    english = visit.display.language == "en"
    return visit.show(
        "citizen/code_new.html",
        TITLE,
        status=problem.problem.status if problem else 422 if wrong else 200,
        problem=problem,
        nav="sharing",
        typed=form,
        wrong={name: words[english] for name, *words in wrong or ()},
        way=what_way(ASKABLE, form, english=english),
        boxes=boxes({"types": ASKABLE}, form, english=english),
        lengths=[(one, duration(one, english=english)) for one in LENGTHS],
    )


def _choice(form: dict[str, str]) -> Choice | list[Problem]:
    """What a form lets the doctor read, or what is wrong with it."""
    types, problems = chosen_types(form, ASKABLE)
    lasts = form.get("duration", "")
    if lasts not in {str(one) for one in LENGTHS}:
        problems.append(("duration", "Hãy chọn cho xem trong bao lâu.", "Choose for how long they may read."))
    if problems:
        return problems
    return {
        "types": types,
        "since": None,
        "until": None,
        "duration_seconds": int(lasts),
        "labels": [],
        "unlock": UNLOCK,
    }


handlers: list[Any] = [new, review, make]
