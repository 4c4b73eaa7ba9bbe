"""A person signs in with a browser, and out (docs/decisions/0013-page-sessions.md).

    GET  /sign-in            the own number or phone; /sign-in/ended says besides why one is here again
    POST /sign-in            letters are on their way, or nowhere: the same page for everybody (S19)
    POST /sign-in/code       letters and PIN; then a session stands, and the page offers this browser a key
    POST /sign-in/key        the key made a moment ago: the session moves onto that device
    POST /sign-in/known-key  the key that this browser made another day
    POST /sign-out           the session ends, and with it what the browser kept

The challenge and the door's secret travel in hidden fields: no address and no cookie holds them. Each step
makes a new token; one that the browser brings along is never taken over.
"""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency

from api.citizen.grants import environment_of
from api.pages.browser import cookie, drop_cookie, set_cookie
from api.pages.showing import CITIZEN, Shown, Visit, any_visit, open_visit
from api.pages.sign_in_view import (
    BROWSER_SECONDS,
    browser_name,
    devices_in,
    kind_of,
    new_browser,
    with_device,
)
from api.request import Call
from identity import page_sessions, sign_in
from identity.page_sessions import PageSession
from identity.problems import CHALLENGE_DEAD, DEVICE_KEY_REFUSED, SESSION_ENDED
from identity.resting import kept
from kernel.problems import ProblemError, Refused

SIGN_IN: Final = ("Đăng nhập", "Sign in")
CODE: Final = ("Nhập mã và PIN", "Enter the code and your PIN")
KEY: Final = ("Bạn đã đăng nhập", "You are signed in")


@get(["/sign-in", "/sign-in/ended"], operation_id="page_sign_in", **CITIZEN)
async def sign_in_page(call: NamedDependency[Call]) -> Response[Any]:
    """Number or phone. ended: a page was closed because its session is over."""
    return ask_who(any_visit(call, "citizen"))


@post("/sign-in", operation_id="page_sign_in_start", **CITIZEN)
async def start(call: NamedDependency[Call]) -> Response[Any]:
    """Send letters, and ask for them."""
    visit = any_visit(call, "citizen")
    form = await visit.form()
    who = form.get("who", "").strip()
    started = await visit.send("POST", "/v1/auth/sign-in/start", {"kind": kind_of(who), "value": who})
    if isinstance(started, Refused):
        return ask_who(visit, who=who, problem=started)
    return ask_code(visit, started["challenge_id"], who)


@post("/sign-in/code", operation_id="page_sign_in_code", **CITIZEN)
async def code(call: NamedDependency[Call]) -> Response[Any]:
    """Letters and PIN."""
    visit = any_visit(call, "citizen")
    form = await visit.form()
    done = await _open(call, form)
    if isinstance(done, PageSession):
        return await offer_key(visit, done)
    who = form.get("who", "")
    if done.problem is CHALLENGE_DEAD:
        return ask_who(visit, who=who, problem=done)
    return ask_code(visit, form.get("challenge", ""), who, typed=form.get("code", ""), problem=done)


@post("/sign-in/continue", operation_id="page_sign_in_continue", **CITIZEN)
async def go_on(call: NamedDependency[Call]) -> Response[Any]:
    """From the identity provider's way back, where no cookie of ours came along, to the offer of a key."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    async with call.begin_public() as tx:
        found = await page_sessions.session_at_door(
            tx, call.keys, visit.token, form.get("door", ""), call.now
        )
    return visit.go("/") if isinstance(found, Refused) else await offer_key(visit, found)


@post("/sign-in/key", operation_id="page_sign_in_key", **CITIZEN)
async def make_key(call: NamedDependency[Call]) -> Response[Any]:
    """The key that this browser has just made."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    return await _moved(visit, form, await _enrol(visit, form))


@post("/sign-in/known-key", operation_id="page_sign_in_known_key", **CITIZEN)
async def known_key(call: NamedDependency[Call]) -> Response[Any]:
    """The key that this browser has."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    return await _moved(visit, form, await _return(visit, form))


@post("/sign-out", operation_id="page_sign_out", **CITIZEN)
async def leave(call: NamedDependency[Call]) -> Response[Any]:
    """End the session, here and in the database."""
    visit = any_visit(call, "citizen")
    await visit.form()
    await visit.send("POST", "/v1/auth/sign-out")
    return left(visit, "/", ("citizen", "book"))


def left(visit: Visit, address: str, cookies: tuple[str, ...]) -> Shown:
    """On to a page that everybody may see. What "back" could show is dropped from the browser's stores."""
    made = visit.go(address, [drop_cookie(visit.call, name) for name in cookies])
    made.headers["Clear-Site-Data"] = '"cache"'
    return made


async def offer_key(visit: Visit, session: PageSession, problem: Refused | None = None) -> Shown:
    """The page behind the door: under the new token, with what this browser may stand on."""
    call = visit.call
    devices = devices_in(cookie(call, "browser"))
    async with call.begin_public() as tx:
        known = await page_sessions.known_keys(tx, session, devices, environment_of(call), call.now)
    inside = Visit(call, "citizen", session.token)
    inside.book = ""
    return inside.show(
        "public/sign_in_key.html",
        KEY,
        status=200 if problem is None else problem.problem.status,
        cookies=signed_in(call, session),
        problem=problem,
        door=session.door,
        known=known,
    )


def signed_in(call: Call, session: PageSession) -> list[str]:
    """The cookies of a new session, which begins in the own book and with no cookie from before."""
    cookies = [
        set_cookie(call, "citizen", session.token),
        drop_cookie(call, "book"),
        drop_cookie(call, "visit"),
    ]
    if session.device_id is not None:
        devices = with_device(cookie(call, "browser"), session.device_id)
        cookies.append(set_cookie(call, "browser", devices, BROWSER_SECONDS))
    return cookies


def ask_who(
    visit: Visit, *, who: str = "", problem: Refused | None = None, cookies: Sequence[str] = ()
) -> Shown:
    """The first step, with what went wrong."""
    return visit.show(
        "public/sign_in.html",
        SIGN_IN,
        status=200 if problem is None else problem.problem.status,
        cookies=cookies,
        problem=problem,
        who=who,
        provider=visit.call.verifier is not None,
    )


def ask_code(
    visit: Visit, challenge: str, who: str, *, typed: str = "", problem: Refused | None = None
) -> Shown:
    """The second step, with what went wrong. challenge: of the sign-in; who: for another try."""
    return visit.show(
        "public/sign_in_code.html",
        CODE,
        status=200 if problem is None else problem.problem.status,
        problem=problem,
        challenge=challenge,
        who=who,
        typed=typed,
    )


async def _open(call: Call, form: dict[str, str]) -> PageSession | Refused:
    """As the contract's door does it: no transaction is open while the PIN is hashed."""
    async with call.begin_public() as tx:
        pending = await sign_in.charge_code(
            tx, call.keys, form.get("challenge", ""), form.get("code", ""), call.now
        )
    if isinstance(pending, Refused):
        return pending
    held = await sign_in.pin_holds(call.keys, pending, form.get("pin"))
    async with call.begin_public() as tx:
        done = await page_sessions.open_by_letters(
            tx, call.keys, pending, held, request_id=call.request_id, now=call.now
        )
    return await kept(call.begin_public, call.keys, pending.rests, form.get("pin"), done)


async def _enrol(visit: Visit, form: dict[str, str]) -> PageSession | Refused:
    call = visit.call
    device = new_browser(form.get("registration", ""), browser_name(call.header("user-agent") or ""))
    if device is None:
        return Refused(problem=DEVICE_KEY_REFUSED)
    async with call.begin_public() as tx:
        return await page_sessions.enrol_browser(
            tx,
            call.keys,
            visit.token,
            form.get("door", ""),
            device,
            request_id=call.request_id,
            now=call.now,
            origin=call.browser_origin,
        )


async def _return(visit: Visit, form: dict[str, str]) -> PageSession | Refused:
    call = visit.call
    async with call.begin_public() as tx:
        return await page_sessions.return_to_device(
            tx,
            call.keys,
            visit.token,
            form.get("door", ""),
            form.get("text", ""),
            form.get("signature", ""),
            environment=environment_of(call),
            now=call.now,
        )


async def _moved(visit: Visit, form: dict[str, str], done: PageSession | Refused) -> Shown:
    """On its device, or the offer once more with what was wrong; the session without a device stays."""
    if isinstance(done, PageSession):
        return visit.go("/", signed_in(visit.call, done))
    if done.problem is SESSION_ENDED:
        raise ProblemError(done)
    call = visit.call
    async with call.begin_public() as tx:
        found = await page_sessions.session_at_door(
            tx, call.keys, visit.token, form.get("door", ""), call.now
        )
    return visit.go("/") if isinstance(found, Refused) else await offer_key(visit, found, done)


handlers: list[Any] = [sign_in_page, start, code, go_on, make_key, known_key, leave]
