"""Rights over the own data: what was asked and until when it is owed, and an erasure that can be stopped."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency

from api.pages.citizen import rights_view as view
from api.pages.citizen.whose import in_own_book
from api.pages.showing import CITIZEN, Visit, open_visit
from api.pages.uploading import new_key, once_of
from api.request import Call
from consent.rights.problems import NO_ERASURE
from kernel.problems import ProblemError, Refused

PATH: Final = "/me/rights"
TITLE: Final = ("Quyền với dữ liệu của tôi", "Rights over my data")
REQUESTS: Final = "/v1/me/rights-requests"
ERASURE: Final = "/v1/me/erasure"


@get(PATH, operation_id="page_me_rights", **CITIZEN)
async def rights(call: NamedDependency[Call]) -> Response[bytes]:
    """Of the own data, whoever's book is open."""
    return await _show(open_visit(call, "citizen"))


@post(PATH, operation_id="page_me_rights_ask", **CITIZEN)
async def ask(call: NamedDependency[Call]) -> Response[bytes]:
    """Ask for a copy, a restriction or an objection; once, however often the button is pressed."""
    visit = open_visit(call, "citizen")
    form, own = await visit.form(), in_own_book(visit)
    if form.get("kind") not in view.ASKED:
        return await _show(visit, is_unsaid=True)
    done = await own.send("POST", REQUESTS, {"kind": form["kind"]}, headers=once_of(form))
    return await _show(visit, problem=done) if isinstance(done, Refused) else visit.go(PATH)


@post(f"{PATH}/keep", operation_id="page_me_rights_keep", **CITIZEN)
async def keep(call: NamedDependency[Call]) -> Response[bytes]:
    """Stop an erasure that waits."""
    visit = open_visit(call, "citizen")
    await visit.form()
    done = await in_own_book(visit).send("DELETE", ERASURE)
    return await _show(visit, problem=done) if isinstance(done, Refused) else visit.go(PATH)


async def _show(visit: Visit, *, problem: Refused | None = None, is_unsaid: bool = False) -> Response[bytes]:
    own, english = in_own_book(visit), visit.display.language == "en"
    erasure = await own.ask(ERASURE)
    if isinstance(erasure, Refused) and erasure.problem is not NO_ERASURE:
        raise ProblemError(erasure)
    # A browser without a key stops an erasure, and is not told what else was asked.
    found = await own.ask(REQUESTS)
    requests: list[Any] = [] if isinstance(found, Refused) else found["items"]
    return visit.show(
        "citizen/rights.html",
        TITLE,
        nav="settings",
        status=problem.problem.status if problem else 400 if is_unsaid else 200,
        problem=problem,
        is_unsaid=is_unsaid,
        erasure=None if isinstance(erasure, Refused) else erasure,
        withheld=found if isinstance(found, Refused) else None,
        cards=[view.request_card(one, english=english) for one in requests],
        kinds=[(name, view.KINDS[name]) for name in view.ASKED],
        once=new_key(),
    )


handlers: list[Any] = [rights, ask, keep]
