"""Share links: whom they are for, what they show, who opened them, their end; making one needs the key."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.citizen.grants_view import CONTENTS, link_card
from api.pages.citizen.requests_view import Problem
from api.pages.citizen.sharing import act
from api.pages.pictures import svg_address
from api.pages.scope_words import DAY, HOUR, duration
from api.pages.showing import CITIZEN, Shown, Visit, open_visit
from api.pages.signing import signed_act, text_to_sign
from api.request import Call
from consent.links.policy import LABEL_MAX
from consent.links.problems import UNKNOWN_LINK
from consent.links.service import ARM_TYP, CONFIRM_TYP, LINK_TYP
from kernel.problems import Refused, refuse

LINKS: Final = "/v1/me/share-links"
NEW: Final = ("Liên kết chia sẻ mới", "A new share link")
ONE: Final = ("Một liên kết chia sẻ", "A share link")
LENGTHS: Final = (HOUR, DAY, 7 * DAY, 30 * DAY)
PAPERS: Final = ("sheet", "book")
Wish = dict[str, Any]


@get("/me/sharing/links/new", operation_id="page_me_link_new", **CITIZEN)
async def new(call: NamedDependency[Call]) -> Response[Any]:
    """What the link shows, and how long."""
    return _show_new(open_visit(call, "citizen"), {})


@post("/me/sharing/links/review", operation_id="page_me_link_review", status_code=200, **CITIZEN)
async def review(call: NamedDependency[Call]) -> Response[Any]:
    """What will be signed, in words."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    wish = _wish(form)
    if isinstance(wish, list):
        return _show_new(visit, form, wrong=wish)
    signing = await text_to_sign(visit, LINK_TYP, **wish)
    return visit.show("citizen/link_review.html", NEW, nav="sharing", signing=signing, **_words(visit, wish))


@post("/me/sharing/links", operation_id="page_me_link_make", status_code=200, **CITIZEN)
async def make(call: NamedDependency[Call]) -> Response[Any]:
    """The link and its passcode, shown this once."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    wish = _wish(form)
    if isinstance(wish, list):
        return _show_new(visit, form, wrong=wish)
    made = await visit.send("POST", LINKS, wish | {"signed": signed_act(form)})
    if isinstance(made, Refused):
        return _show_new(visit, form, problem=made)
    return visit.show(
        "citizen/link_made.html", NEW, nav="sharing", made=made, picture=svg_address(made["svg"])
    )


@get("/me/sharing/links/{link_id:uuid}", operation_id="page_me_link", **CITIZEN)
async def one(link_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """One link and who opened it."""
    return await _show_link(open_visit(call, "citizen"), link_id)


@post("/me/sharing/links/{link_id:uuid}/end", operation_id="page_me_link_end", **CITIZEN)
async def end(link_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """Its next opening is refused."""
    return await act(call, "DELETE", f"{LINKS}/{link_id}")


@post("/me/sharing/links/{link_id:uuid}/arm", operation_id="page_me_link_arm", status_code=200, **CITIZEN)
async def arm(link_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """A new passcode, shown this once; the old one is dead."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    body = {"passcode": None, "signed": signed_act(form)}
    armed = await visit.send("POST", f"{LINKS}/{link_id}/arm", body)
    if isinstance(armed, Refused):
        return await _show_link(visit, link_id, problem=armed)
    return await _show_link(visit, link_id, passcode=armed["passcode"])


@post("/me/sharing/links/{link_id:uuid}/confirm", operation_id="page_me_link_confirm", **CITIZEN)
async def confirm(link_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """A link that was held goes on."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    done = await visit.send("POST", f"{LINKS}/{link_id}/confirm", {"signed": signed_act(form)})
    if isinstance(done, Refused):
        return await _show_link(visit, link_id, problem=done)
    return visit.go(f"/me/sharing/links/{link_id}")


async def _show_link(
    visit: Visit, link_id: UUID, *, problem: Refused | None = None, passcode: str = ""
) -> Shown:
    links = await visit.read(LINKS)
    link = next((one for one in links["items"] if one["link_id"] == str(link_id)), None)
    if link is None:
        refuse(UNKNOWN_LINK)
    typ = {"held": CONFIRM_TYP, "locked": ARM_TYP}.get(link["state"])
    facts = {"link_id": str(link_id)} | ({"passcode": None} if typ == ARM_TYP else {})
    return visit.show(
        "citizen/link.html",
        ONE,
        status=problem.problem.status if problem else 200,
        problem=problem,
        nav="sharing",
        link=link_card(link, english=visit.display.language == "en"),
        openings=(await visit.read(f"{LINKS}/{link_id}/openings"))["items"],
        signing=await text_to_sign(visit, typ, **facts) if typ else None,
        passcode=passcode,
    )


def _show_new(
    visit: Visit,
    form: dict[str, str],
    *,
    problem: Refused | None = None,
    wrong: list[Problem] | None = None,
) -> Shown:
    english = visit.display.language == "en"
    return visit.show(
        "citizen/link_new.html",
        NEW,
        status=problem.problem.status if problem else 422 if wrong else 200,
        problem=problem,
        nav="sharing",
        typed=form,
        wrong={name: words[english] for name, *words in wrong or ()},
        lengths=[(one, duration(one, english=english)) for one in LENGTHS],
        papers=[(name, CONTENTS[name][english]) for name in PAPERS],
        label_max=LABEL_MAX,
    )


def _wish(form: dict[str, str]) -> Wish | list[Problem]:
    """What a form wishes, or what is wrong with it."""
    label, lasts = form.get("label", "").strip(), form.get("duration", "")
    problems: list[Problem] = []
    if not label or len(label) > LABEL_MAX:
        problems.append(("label", "Hãy ghi liên kết này dành cho ai.", "Say whom this link is for."))
    if lasts not in {str(one) for one in LENGTHS}:
        problems.append(
            ("duration", "Hãy chọn liên kết mở được trong bao lâu.", "Choose for how long it opens.")
        )
    if problems:
        return problems
    return {
        "label": label,
        "long_term": False,
        "duration_seconds": int(lasts),
        "passcode": None,
        "papers": [name for name in PAPERS if f"paper.{name}" in form],
        "documents": [],
    }


def _words(visit: Visit, wish: Wish) -> dict[str, Any]:
    english = visit.display.language == "en"
    fields = {"label": wish["label"], "duration": str(wish["duration_seconds"])}
    return {
        "label": wish["label"],
        "length": duration(wish["duration_seconds"], english=english),
        "shown": [CONTENTS[name][english] for name in ("ips", *wish["papers"])],
        "fields": fields | {f"paper.{name}": "1" for name in wish["papers"]},
    }


handlers: list[Any] = [new, review, make, one, end, arm, confirm]
