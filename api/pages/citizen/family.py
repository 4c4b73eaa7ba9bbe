"""The family: whose book is open, for whom one acts, who acts for oneself, and how that begins and ends.

Everything here is about the own links, whoever's book is open. Another book opens by a cookie, and only of
somebody whom the service lists; each thing done in it is decided by the service anew.
"""

from datetime import date
from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.browser import SESSION_SECONDS, drop_cookie, set_cookie
from api.pages.citizen.family_view import household_card, last_day, missing, relative_card, scope_boxes
from api.pages.citizen.whose import in_own_book
from api.pages.scope_words import SCOPES, said
from api.pages.showing import CITIZEN, Shown, Visit, open_visit
from api.pages.signing import signed_act, text_to_sign
from api.request import Call
from family.problems import NOT_YOUR_BOOK
from family.proxies import INVITE_TYP
from kernel.clock import local_day
from kernel.problems import Refused, refuse

FAMILY: Final = "/v1/me/family"
TITLE: Final = ("Gia đình", "Family")
INVITE: Final = ("Mời người thay mặt", "Invite somebody to act for you")


@get("/me/family", operation_id="page_me_family", **CITIZEN)
async def family(call: NamedDependency[Call]) -> Response[Any]:
    """Both sides of every link."""
    return await _show(open_visit(call, "citizen"))


@post("/me/family/open", operation_id="page_me_family_open", **CITIZEN)
async def open_book(call: NamedDependency[Call]) -> Response[Any]:
    """Open the book of somebody whom one acts for, or the own one again."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    wanted = form.get("person", "")
    if not wanted:
        return visit.go("/", [drop_cookie(call, "book")])
    links = (await in_own_book(visit).read(FAMILY))["items"]
    if not any(one["person_id"] == wanted and relative_card(one)["can_open"] for one in links):
        refuse(NOT_YOUR_BOOK)
    return visit.go("/", [set_cookie(call, "book", wanted, SESSION_SECONDS)])


@post("/me/family/{person_id:uuid}/end", operation_id="page_me_family_end", **CITIZEN)
async def end(person_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """End a link at once."""
    return await _act(call, "DELETE", f"{FAMILY}/{person_id}", closes=str(person_id))


@post("/me/family/{person_id:uuid}/dispute", operation_id="page_me_family_dispute", **CITIZEN)
async def dispute(person_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """Nobody writes by this link until the dispute is settled."""
    return await _act(call, "POST", f"{FAMILY}/{person_id}/dispute")


@post("/me/family/{person_id:uuid}/settle", operation_id="page_me_family_settle", **CITIZEN)
async def settle(person_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """Take back the own dispute."""
    return await _act(call, "DELETE", f"{FAMILY}/{person_id}/dispute")


@post("/me/family/{person_id:uuid}/object", operation_id="page_me_family_object", **CITIZEN)
async def object_to(person_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """No to a guardian who waits: of oneself, or of a child in one's care."""
    visit = open_visit(call, "citizen")
    form, own = await visit.form(), in_own_book(visit)
    if form.get("child"):
        own.book = _id(form["child"])
    done = await own.send("DELETE", f"/v1/me/guardians/{person_id}")
    return await _show(visit, problem=done) if isinstance(done, Refused) else visit.go("/me/family")


@post("/me/family/accept", operation_id="page_me_family_accept", **CITIZEN)
async def accept(call: NamedDependency[Call]) -> Response[Any]:
    """Act for whoever gave the code."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    done = await in_own_book(visit).send(
        "POST", "/v1/me/proxies/accept", {"code": form.get("code", "").strip()}
    )
    return await _show(visit, problem=done) if isinstance(done, Refused) else visit.go("/me/family")


@get("/me/family/invite", operation_id="page_me_family_invite", **CITIZEN)
async def invite(call: NamedDependency[Call]) -> Response[Any]:
    """What somebody may do for me, and until when."""
    return _show_invite(open_visit(call, "citizen"), {})


@post("/me/family/invite/review", operation_id="page_me_family_review", status_code=200, **CITIZEN)
async def review(call: NamedDependency[Call]) -> Response[Any]:
    """What will be signed, in words."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    facts = _invitation(form, call)
    if facts is None:
        return _show_invite(visit, form, is_sent=True)
    english = visit.display.language == "en"
    return visit.show(
        "citizen/family_review.html",
        INVITE,
        nav="family",
        signing=await text_to_sign(in_own_book(visit), INVITE_TYP, **facts),
        may=[said(SCOPES, name, english=english) for name in facts["scopes"]],
        until=facts["until"],
        fields={name: value for name, value in form.items() if name == "months" or name.startswith("scope.")},
    )


@post("/me/family/invite", operation_id="page_me_family_make", status_code=200, **CITIZEN)
async def make(call: NamedDependency[Call]) -> Response[Any]:
    """The code, shown this once."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    facts = _invitation(form, call)
    if facts is None:
        return _show_invite(visit, form, is_sent=True)
    body = facts | {"signed": signed_act(form)}
    made = await in_own_book(visit).send("POST", "/v1/me/proxies/invitations", body)
    if isinstance(made, Refused):
        return _show_invite(visit, form, problem=made)
    return visit.show("citizen/family_code.html", INVITE, nav="family", made=made)


async def _act(call: Call, method: str, path: str, *, closes: str = "") -> Shown:
    """A button of the family's page. closes: whose book is shut where it was open."""
    visit = open_visit(call, "citizen")
    await visit.form()
    done = await in_own_book(visit).send(method, path)
    if isinstance(done, Refused):
        return await _show(visit, problem=done)
    return visit.go("/me/family", [drop_cookie(call, "book")] if visit.book and visit.book == closes else [])


async def _show(visit: Visit, *, problem: Refused | None = None) -> Shown:
    own, english = in_own_book(visit), visit.display.language == "en"
    links = [relative_card(one, english=english) for one in (await own.read(FAMILY))["items"]]
    seen = await own.ask("/v1/me/household")
    members = {} if isinstance(seen, Refused) else {one["person_id"]: one for one in seen["items"]}
    dependents = [one | household_card(members.get(one["person_id"])) for one in links if one["for_them"]]
    return visit.show(
        "citizen/family.html",
        TITLE,
        status=problem.problem.status if problem else 200,
        problem=problem,
        nav="family",
        dependents=dependents,
        for_me=[one for one in links if not one["for_them"]],
        open_name=next((one["name"] for one in dependents if one["person_id"] == visit.book), None),
    )


def _show_invite(
    visit: Visit, form: dict[str, str], *, problem: Refused | None = None, is_sent: bool = False
) -> Shown:
    """is_sent: what is missing is said."""
    wrong = missing(form, english=visit.display.language == "en") if is_sent else {}
    return visit.show(
        "citizen/family_invite.html",
        INVITE,
        status=problem.problem.status if problem else 422 if wrong else 200,
        problem=problem,
        nav="family",
        typed=form,
        wrong=wrong,
        boxes=scope_boxes(form, english=visit.display.language == "en"),
    )


def _invitation(form: dict[str, str], call: Call) -> dict[str, Any] | None:
    scopes = sorted(name for name in SCOPES if f"scope.{name}" in form)
    until: date | None = last_day(form.get("months", ""), local_day(call.now))
    return {"scopes": scopes, "until": until.isoformat()} if scopes and until else None


def _id(text: str) -> str:
    """Raises not-your-book for what is no id."""
    try:
        return str(UUID(text))
    except ValueError:
        refuse(NOT_YOUR_BOOK)


handlers: list[Any] = [
    family,
    open_book,
    end,
    dispute,
    settle,
    object_to,
    accept,
    invite,
    review,
    make,
]
