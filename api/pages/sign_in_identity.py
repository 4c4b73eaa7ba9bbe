"""The national sign-in as a way into the own book, without number, letters and PIN: to the identity provider
and back. The session reads the own book in full and signs nothing (docs/decisions/0013-page-sessions.md).

    POST /sign-in/identity   to the provider, with a secret in a cookie that only this browser has
    GET  /sign-in/return     back, with a receipt that serves once, for a minute, and beside that secret alone

The provider is another site, so no cookie of ours but that one (`SameSite=Lax`) comes along on the way back,
and where the browser goes next it would bring none: a button of our own page leads on.
"""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency

from api.pages.browser import cookie, drop_cookie, set_cookie
from api.pages.showing import CITIZEN, Shown, Visit, any_visit
from api.pages.sign_in import ask_who, signed_in
from api.request import Call
from identity import budgets, page_sessions
from identity.accounts.opening import PERSON_LEVEL
from identity.page_sessions import PageSession
from identity.tokens import from_base64url, new_secret, to_base64url
from identity.verification import service as verification
from identity.verification.problems import VERIFICATION_UNAVAILABLE
from kernel.problems import Refused
from partners.oauth.forms import read_form

COOKIE: Final = "identity"
RETURN_PATH: Final = "/sign-in/return"
GOING: Final = ("Xác minh danh tính", "Prove who you are")
DONE: Final = ("Đã xác minh danh tính", "It is proven who you are")


@post("/sign-in/identity", operation_id="page_sign_in_identity", **CITIZEN)
async def go(call: NamedDependency[Call]) -> Response[Any]:
    """To the identity provider."""
    visit = any_visit(call, "citizen")
    await visit.form()
    secret = new_secret()
    address = await _begin(call, secret)
    if isinstance(address, Refused):
        return ask_who(visit, problem=address)
    return _leave(visit, address, to_base64url(secret))


@get(RETURN_PATH, operation_id="page_sign_in_return", any_query=True, **CITIZEN)
async def come_back(call: NamedDependency[Call]) -> Response[Any]:
    """Back from the provider."""
    visit = any_visit(call, "citizen")
    given = read_form(call.request.scope["query_string"]) or {}
    done = await _open(call, given.get("receipt", ""))
    gone = drop_cookie(call, COOKIE)
    if isinstance(done, PageSession):
        return _inside(call, done, gone)
    return ask_who(visit, problem=done, cookies=[gone])


def _leave(visit: Visit, address: str, secret: str) -> Shown:
    """The policy lets no form lead to another site, and where the provider sends on to is its own affair: the
    browser follows a header instead."""
    life = int(verification.LIFE.total_seconds())
    return visit.show(
        "public/sign_in_identity.html",
        GOING,
        headers={"Refresh": f"0; url={address}"},
        cookies=[set_cookie(visit.call, COOKIE, secret, life, same_site="Lax")],
        address=address,
    )


def _inside(call: Call, session: PageSession, gone: str) -> Shown:
    inside = Visit(call, "citizen", session.token)
    inside.book = ""
    cookies = [*signed_in(call, session), gone]
    return inside.show("public/sign_in_returned.html", DONE, cookies=cookies, door=session.door)


async def _begin(call: Call, secret: bytes) -> str | Refused:
    """The provider is asked with no transaction open."""
    if call.verifier is None:
        return Refused(problem=VERIFICATION_UNAVAILABLE)
    network = budgets.subject(call.network_prefix())
    async with call.begin_public() as tx:
        spent = await budgets.charge_or_refuse(tx, budgets.SIGN_IN_STARTS_NETWORK, network, call.now)
    opened = spent or await verification.open_at(call.verifier, call.now)
    if isinstance(opened, Refused):
        return opened
    call.time_went_by()
    async with call.begin_public() as tx:
        begun = await verification.begin(
            tx,
            call.keys,
            opened,
            purpose="sign-in",
            secret_challenge=verification.challenge_of(secret),
            return_to=RETURN_PATH,
            now=call.now,
        )
    return begun if isinstance(begun, Refused) else begun.address


async def _open(call: Call, receipt: str) -> PageSession | Refused:
    secret = cookie(call, COOKIE)
    async with call.begin_public() as tx:
        proven = await verification.claim(
            tx,
            call.keys,
            receipt,
            secret if from_base64url(secret) else "",
            purpose="sign-in",
            level_min=PERSON_LEVEL,
            now=call.now,
        )
        if isinstance(proven, Refused):
            return proven
        return await page_sessions.open_by_identity(
            tx, call.keys, proven.person, request_id=call.request_id, now=call.now
        )


handlers: list[Any] = [go, come_back]
