"""Doctors and staff sign in with user name, password and one-time password, and out.

GET  /doctor/sign-in        for doctors' and for facilities' pages; …/ended says besides why one is here again
POST /doctor/sign-in        the door of the contract; who has several roles is asked in which one to work
POST /doctor/sign-in/role   another one of them, just behind that door
POST /doctor/sign-out       the session ends
"""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency

from api.pages.browser import drop_cookie, set_cookie
from api.pages.facility.words import ROLES
from api.pages.showing import STAFF, Shown, Visit, any_visit, open_visit
from api.pages.sign_in import left
from api.request import Call
from identity import role_choice
from kernel.problems import ProblemError, Refused

SIGN_IN: Final = ("Đăng nhập cho bác sĩ và nhân viên y tế", "Sign in for doctors and staff")
ROLE: Final = ("Bạn làm việc với vai trò nào?", "In which role do you work now?")
# Everybody else works at a desk.
CARING: Final = frozenset({"doctor", "nurse", "pharmacist", "vaccinator"})


@get(["/doctor/sign-in", "/doctor/sign-in/ended"], operation_id="page_doctor_sign_in", **STAFF)
async def sign_in_page(call: NamedDependency[Call]) -> Response[Any]:
    """User name, password, one-time password. ended: a page was closed because its session is over."""
    return _ask(any_visit(call, "staff"))


@post("/doctor/sign-in", operation_id="page_doctor_sign_in_send", **STAFF)
async def sign_in(call: NamedDependency[Call]) -> Response[Any]:
    """Through the door of the contract, which counts tries."""
    visit = any_visit(call, "staff")
    form = await visit.form()
    said = {name: form.get(name, "").strip() for name in ("username", "password", "totp")}
    said |= {"password": form.get("password", ""), "totp": "".join(said["totp"].split())}
    return await enter(visit, said)


async def enter(visit: Visit, said: dict[str, str]) -> Shown:
    """Through the door of the contract. said: user name, password, one-time password."""
    call = visit.call
    done = await visit.send("POST", "/v1/auth/practitioner/sign-in", said)
    if isinstance(done, Refused):
        return _ask(visit, username=said["username"], problem=done)
    if len(done["roles"]) > 1:
        return await _ask_role(call, done)
    return _go(call, done["access_token"], done["role"]["role"])


@post("/doctor/sign-in/role", operation_id="page_doctor_sign_in_role", **STAFF)
async def choose_role(call: NamedDependency[Call]) -> Response[Any]:
    """The role to work in: a new session in it, the one from a moment ago ends."""
    visit = open_visit(call, "staff")
    form = await visit.form()
    async with call.begin_public() as tx:
        done = await role_choice.choose(
            tx, call.keys, visit.token, form.get("door", ""), _id(form.get("role", "")), call.now
        )
    if isinstance(done, Refused):
        raise ProblemError(done)
    return _go(call, done.tokens.access_token, done.role.role)


@post("/doctor/sign-out", operation_id="page_doctor_sign_out", **STAFF)
async def leave(call: NamedDependency[Call]) -> Response[Any]:
    """End the session, here and in the database."""
    visit = any_visit(call, "staff")
    await visit.form()
    await visit.send("POST", "/v1/auth/sign-out")
    return left(visit, "/doctor/sign-in", ("staff",))


def _ask(visit: Visit, *, username: str = "", problem: Refused | None = None) -> Shown:
    status = 200 if problem is None else problem.problem.status
    return visit.show(
        "public/doctor_sign_in.html", SIGN_IN, status=status, problem=problem, username=username
    )


async def _ask_role(call: Call, done: dict[str, Any]) -> Shown:
    inside = Visit(call, "staff", done["access_token"])
    async with call.begin_public() as tx:
        door = await role_choice.door_of(tx, call.keys, inside.token, call.now)
    cookies = _cookies(call, inside.token)
    members = {"door": door, "roles": done["roles"], "role_words": ROLES}
    return inside.show("public/doctor_role.html", ROLE, cookies=cookies, **members)


def _go(call: Call, token: str, role: str) -> Shown:
    address = "/doctor" if role in CARING else "/facility"
    return Visit(call, "staff", token).go(address, _cookies(call, token))


def _cookies(call: Call, token: str) -> list[str]:
    return [set_cookie(call, "staff", token), drop_cookie(call, "visit")]


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


handlers: list[Any] = [sign_in_page, sign_in, choose_role, leave]
