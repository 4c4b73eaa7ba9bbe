"""How the book tells its person: quiet hours, which news comes to the phone, in which language."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency

from api.pages.citizen.notice_choices_view import choices_typed, is_half, kinds_of
from api.pages.citizen.whose import in_own_book
from api.pages.showing import CITIZEN, Visit, open_visit
from api.request import Call
from kernel.problems import Refused

TITLE: Final = ("Cách sổ báo cho tôi", "How the book tells me")
PATH: Final = "/me/settings/notices"
CHOICES: Final = "/v1/me/notification-preferences"


@get(PATH, operation_id="page_me_notice_choices", **CITIZEN)
async def choices(call: NamedDependency[Call]) -> Response[bytes]:
    """What was chosen, to be changed."""
    return await _show(open_visit(call, "citizen"))


@get(f"{PATH}/saved", operation_id="page_me_notice_choices_saved", **CITIZEN)
async def saved(call: NamedDependency[Call]) -> Response[bytes]:
    """The same after it was changed."""
    return await _show(open_visit(call, "citizen"), is_saved=True)


@post(PATH, operation_id="page_me_notice_choices_set", **CITIZEN)
async def choose(call: NamedDependency[Call]) -> Response[bytes]:
    """Be told so from now on; what is urgent is told whatever was chosen."""
    visit = open_visit(call, "citizen")
    form, own = await visit.form(), in_own_book(visit)
    if is_half(form):
        return await _show(visit, form)
    done = await own.send("PUT", CHOICES, choices_typed(form, await own.read(CHOICES)))
    return await _show(visit, form, done) if isinstance(done, Refused) else visit.go(f"{PATH}/saved")


async def _show(
    visit: Visit,
    form: dict[str, str] | None = None,
    problem: Refused | None = None,
    *,
    is_saved: bool = False,
) -> Response[bytes]:
    """Of oneself, whoever's book is open. form: what was typed and not taken."""
    kept = await in_own_book(visit).read(CHOICES)
    wrong = form is not None and problem is None
    return visit.show(
        "citizen/notice_choices.html",
        TITLE,
        nav="settings",
        status=problem.problem.status if problem else 422 if wrong else 200,
        problem=problem,
        kept=kept if form is None else _typed_over(kept, form),
        kinds=kinds_of(kept["mutable"], english=visit.display.language == "en"),
        wrong=wrong,
        is_saved=is_saved,
    )


def _typed_over(kept: dict[str, Any], form: dict[str, str]) -> dict[str, Any]:
    return kept | choices_typed(form, kept)


handlers: list[Any] = [choices, saved, choose]
