"""Who may read the book: grants, connected apps and blocks, each with its end. Ending needs no script and no
key; share links and codes stand in `share_links.py` and `share_codes.py`."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.citizen.grants_view import app_card, confirm_facts, grant_card, link_card, narrower_ends
from api.pages.citizen.requests_view import TYPE, beginnings_of, boxes
from api.pages.citizen.whose import relative_of_book
from api.pages.showing import CITIZEN, Shown, Visit, open_visit
from api.pages.signing import Signing, text_to_sign
from api.request import Call
from consent.holds import CONFIRM_TYP
from consent.problems import UNKNOWN_GRANT
from family.problems import GUARDIAN_NEEDED, NOT_IN_YOUR_CARE
from identity.problems import DEVICE_ON_PROBATION
from kernel.clock import local_day
from kernel.problems import ProblemError, Refused

GRANTS: Final = "/v1/me/grants"
TITLE: Final = ("Ai xem được sổ", "Who can read")
PAST: Final = ("Các lần cho xem đã kết thúc", "What has ended")
ONE: Final = ("Một quyền xem sổ", "A right to read")
PAGE: Final = 50
# Whose page this is decides what of it there is: a guardian ends grants, and sees no links or apps.
_NOT_HERE: Final = (NOT_IN_YOUR_CARE, GUARDIAN_NEEDED, DEVICE_ON_PROBATION)


@get("/me/sharing", operation_id="page_me_sharing", **CITIZEN)
async def sharing(call: NamedDependency[Call]) -> Response[Any]:
    """Everything that lets somebody in now."""
    return await show_sharing(open_visit(call, "citizen"))


@get("/me/sharing/past", operation_id="page_me_sharing_past", **CITIZEN)
async def past(call: NamedDependency[Call]) -> Response[Any]:
    """Grants that ended, newest first."""
    return await _show_past(open_visit(call, "citizen"), None)


@post("/me/sharing/past", operation_id="page_me_sharing_past_more", status_code=200, **CITIZEN)
async def more_past(call: NamedDependency[Call]) -> Response[Any]:
    """The next of them."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    return await _show_past(visit, form.get("cursor"))


@get("/me/sharing/grants/{grant_id:uuid}", operation_id="page_me_grant", **CITIZEN)
async def one_grant(grant_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """One grant: what, until when, less of it, its end."""
    return await show_grant(open_visit(call, "citizen"), grant_id)


@post("/me/sharing/grants/{grant_id:uuid}/end", operation_id="page_me_grant_end", **CITIZEN)
async def end_grant(grant_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """The doctor's next request is refused."""
    return await act(call, "DELETE", f"{GRANTS}/{grant_id}")


@post("/me/sharing/grants/{grant_id:uuid}/narrow", operation_id="page_me_grant_narrow", **CITIZEN)
async def narrow_grant(grant_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """Less than before; the narrower version takes the grant's place."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    found = await visit.read(f"{GRANTS}/{grant_id}")
    done = await visit.send("PATCH", f"{GRANTS}/{grant_id}", _narrowing(form, found["grant"], call.now))
    if isinstance(done, Refused):
        return await show_grant(visit, grant_id, problem=done)
    return visit.go(f"/me/sharing/grants/{done['grant_id']}")


@post("/me/sharing/grants/{grant_id:uuid}/block", operation_id="page_me_grant_block", **CITIZEN)
async def block(grant_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """No more requests from this person, or from this place."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    kind = "facility" if form.get("whom") == "facility" else "practitioner"
    done = await visit.send("POST", "/v1/me/blocks", {"kind": kind, "grant_id": str(grant_id)})
    if isinstance(done, Refused):
        return await show_grant(visit, grant_id, problem=done)
    return visit.go("/me/sharing")


@post("/me/sharing/blocks/{block_id:uuid}/lift", operation_id="page_me_block_lift", **CITIZEN)
async def lift(block_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """Requests arrive again; what ended with the block stays ended."""
    return await act(call, "DELETE", f"/v1/me/blocks/{block_id}")


@post("/me/sharing/apps/{consent_id:uuid}/end", operation_id="page_me_app_end", **CITIZEN)
async def end_app(consent_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """The app's next request is refused."""
    return await act(call, "DELETE", f"/v1/me/connected-apps/{consent_id}")


async def act(call: Call, method: str, path: str) -> Shown:
    """A button of this page: what it does, and the page again."""
    visit = open_visit(call, "citizen")
    await visit.form()
    done = await visit.send(method, path)
    if isinstance(done, Refused):
        return await show_sharing(visit, problem=done)
    return visit.go("/me/sharing")


async def show_sharing(visit: Visit, *, problem: Refused | None = None) -> Shown:
    english = visit.display.language == "en"
    grants = await visit.read(GRANTS, limit=PAGE)
    links, apps, blocks = [
        await _if_there(visit, f"/v1/me/{part}") for part in ("share-links", "connected-apps", "blocks")
    ]
    cards = [grant_card(one, english=english) for one in grants["items"]]
    return visit.show(
        "citizen/sharing.html",
        TITLE,
        status=problem.problem.status if problem else 200,
        problem=problem,
        nav="sharing",
        grants=[one for one in cards if one["is_open"]],
        links=_cards(links, link_card, english),
        apps=_cards(apps, app_card, english),
        blocks=None if blocks is None else [one for one in blocks if one["lifted_at"] is None],
        person=await relative_of_book(visit),
    )


def _cards(items: list[dict[str, Any]] | None, card: Any, english: bool) -> list[dict[str, Any]] | None:
    """Those that are open still; None where this page has no such part."""
    if items is None:
        return None
    return [one for one in (card(item, english=english) for item in items) if one["is_open"]]


async def _if_there(visit: Visit, path: str) -> list[dict[str, Any]] | None:
    found = await visit.ask(path)
    if isinstance(found, Refused):
        if found.problem in _NOT_HERE:
            return None
        raise ProblemError(found)
    items: list[dict[str, Any]] = found["items"]
    return items


async def _show_past(visit: Visit, cursor: str | None) -> Shown:
    english = visit.display.language == "en"
    found = await visit.read(GRANTS, limit=PAGE, cursor=cursor)
    cards = [grant_card(one, english=english) for one in found["items"]]
    ended = [one for one in cards if not one["is_open"]]
    return visit.show("citizen/sharing_past.html", PAST, nav="sharing", grants=ended, next=found["next"])


async def show_grant(visit: Visit, grant_id: UUID, *, problem: Refused | None = None) -> Shown:
    found = await visit.ask(f"{GRANTS}/{grant_id}")
    if isinstance(found, Refused):
        if problem is None or found.problem is not UNKNOWN_GRANT:
            raise ProblemError(found)
        return await show_sharing(visit, problem=problem)
    english, grant = visit.display.language == "en", found["grant"]
    return visit.show(
        "citizen/grant.html",
        ONE,
        status=problem.problem.status if problem else 200,
        problem=problem,
        nav="sharing",
        grant=grant_card(grant, english=english),
        boxes=boxes(grant, None, english=english),
        beginnings=beginnings_of(grant["since"], local_day(visit.call.now), english=english),
        confirming=await _confirming(visit, grant),
        ends=narrower_ends(grant, visit.call.now, english=english),
        person=await relative_of_book(visit),
    )


async def _confirming(visit: Visit, grant: dict[str, Any]) -> Signing | None:
    """What the key signs to let a held grant stand; a relative's is confirmed by its own person."""
    if not grant["held"] or visit.book:
        return None
    return await text_to_sign(visit, CONFIRM_TYP, **confirm_facts(grant))


def _narrowing(form: dict[str, str], grant: dict[str, Any], now: datetime) -> dict[str, Any]:
    """What is left of a grant. Ticked is what goes; a part that nobody changed is not named."""
    types = [name for name in grant["types"] if TYPE + name not in form]
    hours, since = form.get("ends", ""), form.get("since", "all")
    body: dict[str, Any] = {}
    if len(types) != len(grant["types"]):
        body["types"] = types
    if since not in ("all", grant["since"]):
        body["since"] = since
    if hours in ("1", "24", "168"):
        body["ends_at"] = (now + timedelta(hours=int(hours))).isoformat()
    return body


handlers: list[Any] = [
    sharing,
    past,
    more_past,
    one_grant,
    end_grant,
    narrow_grant,
    block,
    lift,
    end_app,
]
