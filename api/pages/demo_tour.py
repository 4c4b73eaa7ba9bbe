"""The way in to a demo: a walk along the main path, what everybody signs in with, and the messages beside.

These pages stay open while people sign in and out beside them: their forms are bound to a word of their own.
The phone of the person whom the walk is about is a stand-in here, and says so: it answers for the newest
browser of its person, shows who that is, and agrees where that browser made no key. Registered in a demo
database only (S4).
"""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_401_UNAUTHORIZED

from api.pages.browser import OWN_FORM, cookie, form_of, form_secret, new_visit, require_own_form, set_cookie
from api.pages.demo import read_demo_inbox
from api.pages.demo_people import DemoOwner, DemoPeople
from api.pages.demo_tour_view import (
    DOCTOR,
    OWNER,
    has_key,
    is_new,
    newest_browser,
    steps_done,
    was_told_today,
    what_is_known,
)
from api.pages.doctor import sign_in as staff_door
from api.pages.facility.words import ROLES
from api.pages.kiosk_visit import KEY_SECONDS
from api.pages.showing import CITIZEN, Shown, any_visit
from api.pages.sign_in import ask_code, ask_who
from api.problems import NOT_FOUND
from api.request import Call
from kernel.problems import Refused, refuse

TOUR: Final = ("Dùng thử trong vài phút", "Try it in a few minutes")
ACCOUNTS: Final = ("Tài khoản dùng thử", "Accounts of the demo")
CODE: Final = ("Mã của ông Hùng", "Mr Hùng's code")
WORD: Final = "demo"


@get("/demo", operation_id="page_demo", **CITIZEN)
async def tour(call: NamedDependency[Call]) -> Response[Any]:
    """The walk, with what is done of it."""
    return await _tour(call)


@get(
    ["/demo/trust", "/demo/code", "/demo/allow", "/demo/book", "/demo/desk", "/demo/kiosk"],
    operation_id="page_demo_back",
    **CITIZEN,
)
async def back(call: NamedDependency[Call]) -> Response[Any]:
    """Where an act was answered with a page, its address leads back to the walk."""
    return any_visit(call, "citizen").go("/demo")


@post("/demo/trust", operation_id="page_demo_trust", **CITIZEN)
async def trust(call: NamedDependency[Call]) -> Response[Any]:
    """The stand-in phone answers for the newest browser of its person: the walk's, or one of the accounts."""
    form = await _form(call)
    owner = _people(call).owner(form.get("key", OWNER)) or refuse(NOT_FOUND)
    note = await _trust_newest(call, owner)
    if form.get("from") == "accounts":
        members = {"roles": ROLES, "asked": owner, "note": note}
        return await _show(call, "demo/accounts.html", ACCOUNTS, **members)
    return await _tour(call, note=note) if note else any_visit(call, "citizen").go("/demo")


@post("/demo/code", operation_id="page_demo_code", **CITIZEN)
async def show_code(call: NamedDependency[Call]) -> Response[Any]:
    """The stand-in phone shows its person's code as text: who is here, and nothing else."""
    await _form(call)
    owner = _people(call).owner(OWNER) or refuse(NOT_FOUND)
    said = await call.demo_desk.ask(owner.key, "/v1/me/identification-qr") if call.demo_desk else None
    return await _show(call, "demo/code.html", CODE, text=said["qr"] if said else "")


@post("/demo/allow", operation_id="page_demo_allow", **CITIZEN)
async def allow(call: NamedDependency[Call]) -> Response[Any]:
    """The stand-in phone agrees to the newest request as it was asked, by the doctor's digits."""
    form = await _form(call)
    desk, owner = call.demo_desk, _people(call).owner(OWNER) or refuse(NOT_FOUND)
    waiting = (await what_is_known(desk, owner))["requests"] if desk else []
    newest = max(waiting, key=lambda one: str(one["request_id"]), default=None)
    digits = form.get("digits", "").replace(" ", "")
    if desk is None or newest is None or not await desk.allow(owner.key, newest["request_id"], digits):
        return await _tour(call, allow_note=True)
    return any_visit(call, "citizen").go("/demo")


@post("/demo/book", operation_id="page_demo_book", **CITIZEN)
async def open_book(call: NamedDependency[Call]) -> Response[Any]:
    """The sign-in of that person, begun: letters are on their way to the inbox."""
    form = await _form(call)
    owner = _people(call).owner(form.get("key", "")) or refuse(NOT_FOUND)
    visit = any_visit(call, "citizen")
    who = {"kind": "number", "value": owner.number}
    started = await visit.send("POST", "/v1/auth/sign-in/start", who)
    if isinstance(started, Refused):
        return ask_who(visit, who=owner.number, problem=started)
    return ask_code(visit, started["challenge_id"], owner.number)


@post("/demo/desk", operation_id="page_demo_desk", **CITIZEN)
async def open_desk(call: NamedDependency[Call]) -> Response[Any]:
    """The door of that member of staff, with the one-time password of this moment, or with the next one."""
    # The first opens one door only; the next one is taken already (RFC 6238 §5.2).
    form = await _form(call)
    named = (one for one in _people(call).workers if one.username == form.get("username"))
    one = next(named, None) or refuse(NOT_FOUND)
    visit, said = any_visit(call, "staff"), {"username": one.username, "password": one.password}
    opened = await staff_door.enter(visit, said | {"totp": one.code})
    if opened.status_code != HTTP_401_UNAUTHORIZED:
        return opened
    return await staff_door.enter(visit, said | {"totp": one.next_code})


@get("/demo/accounts", operation_id="page_demo_accounts", **CITIZEN)
async def accounts(call: NamedDependency[Call]) -> Response[Any]:
    """Everybody, and what they sign in with."""
    return await _show(call, "demo/accounts.html", ACCOUNTS, roles=ROLES)


@post("/demo/kiosk", operation_id="page_demo_kiosk", **CITIZEN)
async def open_kiosk(call: NamedDependency[Call]) -> Response[Any]:
    """This browser becomes the kiosk of the demo, as if its administrator's code had been typed."""
    form = await _form(call)
    named = (one for one in _people(call).kiosks if one.client_id == form.get("kiosk"))
    kiosk = next(named, None) or refuse(NOT_FOUND)
    kept = set_cookie(call, "kiosk-key", f"{kiosk.client_id}.{kiosk.client_secret}", KEY_SECONDS)
    return any_visit(call, "kiosk").go("/kiosk/set-up", [kept])


async def _form(call: Call) -> dict[str, str]:
    """What a form of these pages sent. Raises page-form-stale for anybody else's."""
    form = await form_of(call)
    require_own_form(call, form.pop(OWN_FORM, ""), cookie(call, WORD), "")
    return form


async def _trust_newest(call: Call, owner: DemoOwner) -> str:
    """What stood in the way: nothing that waits, or the phone; nothing for nothing."""
    desk = call.demo_desk
    browser = newest_browser(await what_is_known(desk, owner), owner) if desk else None
    if desk is None or browser is None or not has_key(browser) or not is_new(browser, call.now):
        return "none"
    return "" if await desk.trust(owner.key, browser["device_id"]) else "failed"


async def _tour(call: Call, note: str = "", *, allow_note: bool = False) -> Shown:
    people = _people(call)
    owner = people.owner(OWNER) or refuse(NOT_FOUND)
    known = await what_is_known(call.demo_desk, owner) if call.demo_desk else {}
    inbox = await read_demo_inbox(call)
    doctor = next((one for one in people.workers if one.username == DOCTOR), None)
    done = steps_done(known, inbox.items, owner, call.now)
    members = {"owner": owner, "doctor": doctor, "done": done, "note": note, "allow_note": allow_note}
    browser = newest_browser(known, owner) if known else None
    members["keyless"] = browser is not None and not has_key(browser)
    members["told"] = was_told_today(inbox.items, owner, call.now)
    return await _show(call, "demo/tour.html", TOUR, **members)


def _people(call: Call) -> DemoPeople:
    """Raises not-found where no sheet lies beside the data: a demo that others made."""
    found = call.demo_desk.people(call.now) if call.demo_desk else None
    return found or refuse(NOT_FOUND)


async def _show(call: Call, template: str, title: tuple[str, str], **members: Any) -> Shown:
    word = cookie(call, WORD)
    made = word or new_visit()
    return any_visit(call, "citizen").show(
        template,
        title,
        cookies=[] if word else [set_cookie(call, WORD, made)],
        people=_people(call),
        inbox=await read_demo_inbox(call),
        own_form=form_secret(made, ""),
        **members,
    )


handlers: list[Any] = [tour, back, trust, show_code, allow, open_book, open_desk, accounts, open_kiosk]
