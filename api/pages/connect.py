"""The page on which a person lets a partner or an app in (RFC 6749 §4.1, SMART App Launch 2.2): own HTML, no
script. What the browser carries is one cookie for ten minutes, `__Host-` where the address is https.

    GET  /oauth/authorize     a request that was pushed (RFC 9126), or that an app sends along
    GET  /connect             who asks for what, and which way to prove who one is
    POST /connect/identity    the identity provider; back at GET /connect/return with a receipt
    POST /connect/decide      what was ticked; nothing is beforehand (vietnam.md §9)
    POST /connect/app         the own app instead: eight signs here, six digits there
    POST /connect/finish      those digits

Addresses carry what the protocols put there and nothing of a person (security.md S34): request_uri, receipt
and code serve once, for 90, 60 and 60 seconds; state is the client's own word. Every form names a secret that
only this browser's page knows, beside a cookie that no other site's form sends; no page is framed.
"""

import hmac
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from msgspec import Struct

from api.connecting import (
    FHIR_PATH,
    Asking,
    asking_of,
    denied,
    give_agreed,
    give_proven,
    may_connect,
)
from api.pages.browser import OWN_FORM, is_secure
from api.pages.connect_view import Page, page_answer, page_of
from api.request import Answer, Call, answer
from consent.apps.problems import BEYOND_CLIENT
from consent.problems import NOTHING_GRANTED
from identity import budgets
from identity.accounts.opening import PERSON_LEVEL
from identity.app_clients.service import live_client
from identity.people import IdentifierClaim, Matched, PersonClaim, match_person, resolve_present
from identity.problems import TOO_MANY
from identity.tokens import from_base64url
from identity.verification import service as verification
from identity.verification.models import Proven
from identity.verification.problems import VERIFICATION_UNAVAILABLE
from kernel.problems import Refused
from partners.oauth.forms import read_form
from partners.smart import authorizing
from partners.smart.authorizing import Choice
from partners.smart.policy import LIFE, QR_PREFIX, derived, page_code
from partners.smart.problems import (
    CHOICE_NOT_OFFERED,
    CONNECT_CLIENT_UNKNOWN,
    CONNECT_NOT_POSSIBLE,
    CONNECT_PAGE_ENDED,
    DIGITS_WRONG,
    NO_LENGTH_CHOSEN,
    NOTHING_TICKED,
)
from partners.smart.requests import AuthorizationRequest, answer_address, read_request
from qr.draw import svg
from store.database import Tx

PATH: Final = "/connect"
RETURN_PATH: Final = f"{PATH}/return"
HIDDEN: Final[dict[str, Any]] = {
    "actors": ("public",),
    "tags": ["oauth"],
    "include_in_schema": False,
    "any_query": True,
}
FORM: Final[dict[str, Any]] = {**HIDDEN, "status_code": 303}
GIVING: Final = (CONNECT_PAGE_ENDED, CONNECT_NOT_POSSIBLE, BEYOND_CLIENT, NOTHING_GRANTED, TOO_MANY)
CHOOSING: Final = (*GIVING, CHOICE_NOT_OFFERED, NOTHING_TICKED, NO_LENGTH_CHOSEN)
_ENDED: Final = Refused(problem=CONNECT_PAGE_ENDED)


class Opened(Struct, frozen=True):
    """Where a client's browser goes on."""

    address: str
    cookie: str | None = None


@get(
    "/oauth/authorize",
    operation_id="oauth_authorize",
    status_code=303,
    problems=(CONNECT_CLIENT_UNKNOWN, CONNECT_PAGE_ENDED, TOO_MANY),
    **HIDDEN,
)
async def authorize(call: NamedDependency[Call]) -> Response[bytes]:
    """Where a client sends the person's browser."""
    given = read_form(call.request.scope["query_string"]) or {}
    opened = await _open(call, given)
    if isinstance(opened, Refused):
        return page_answer(call, Page("Không mở được yêu cầu", problem=opened.problem), opened.problem.status)
    return _go(opened.address, cookie=None if opened.cookie is None else _cookie(call, opened.cookie))


@get(PATH, operation_id="connect_page", problems=(CONNECT_PAGE_ENDED,), **HIDDEN)
async def page(call: NamedDependency[Call]) -> Response[bytes]:
    """Who asks for what."""
    async with call.begin_public() as tx:
        asking = await _asking(tx, call, None)
    if isinstance(asking, Refused):
        return _failed(call, None, asking)
    if asking.row.phase in ("looked-at", "agreed"):
        return _go(f"{PATH}/app")
    if asking.row.phase == "ended":
        return _go(denied(call, asking.row))
    return page_answer(
        call, page_of(call, asking, _secret(call), "tick" if asking.row.phase == "proven" else "choose")
    )


@post(f"{PATH}/identity", operation_id="connect_identity", problems=(CONNECT_PAGE_ENDED,), **FORM)
async def identity(call: NamedDependency[Call]) -> Response[bytes]:
    """Go to the identity provider."""
    asking = await _checked(call)
    if isinstance(asking, Refused):
        return _failed(call, None, asking)
    address = await _start(call, asking)
    if isinstance(address, Refused):
        return _failed(call, asking, address)
    # A form that leads to another site would have to be allowed by the page's policy, and where the provider
    # sends on to is its own affair: the browser follows this header instead.
    going = page_of(call, asking, _secret(call), "go", address=address)
    return page_answer(call, going, headers={"Refresh": f"0; url={address}"})


@get(RETURN_PATH, operation_id="connect_return", status_code=303, problems=(CONNECT_NOT_POSSIBLE,), **HIDDEN)
async def come_back(call: NamedDependency[Call]) -> Response[bytes]:
    """Back from the identity provider, with a receipt that serves once."""
    given = read_form(call.request.scope["query_string"]) or {}
    async with call.begin_public() as tx:
        asking = await _asking(tx, call, None)
        refused = (
            asking
            if isinstance(asking, Refused)
            else await _prove(tx, call, asking, given.get("receipt", ""))
        )
    if refused is None:
        return _go(PATH)
    return _failed(call, None if isinstance(asking, Refused) else asking, refused)


@post(f"{PATH}/decide", operation_id="connect_decide", problems=CHOOSING, **FORM)
async def decide_page(call: NamedDependency[Call]) -> Response[bytes]:
    """What the person ticked."""
    form = read_form(await call.body()) or {}
    choice = _choice(form)
    async with call.begin_public() as tx:
        asking = await _asking(tx, call, form)
        if isinstance(asking, Refused):
            return _failed(call, None, asking)
        if asking.row.phase != "proven":
            return _go(PATH)
        address = authorizing.missing(choice) or await give_proven(tx, call, asking, choice)
    if isinstance(address, Refused):
        again = page_of(call, asking, _secret(call), "tick", problem=address.problem, choice=choice)
        return page_answer(call, again, address.problem.status)
    return _go(address, cookie=_no_cookie(call))


@post(f"{PATH}/app", operation_id="connect_by_app", problems=(CONNECT_PAGE_ENDED,), **FORM)
async def by_app(call: NamedDependency[Call]) -> Response[bytes]:
    """Approve in the own app instead."""
    form = read_form(await call.body()) or {}
    async with call.begin_public() as tx:
        asking = await _asking(tx, call, form)
        if isinstance(asking, Refused) or await authorizing.show_code(tx, call.keys, asking.row) is None:
            return _failed(call, None, _ENDED)
    return _go(f"{PATH}/app")


@get(f"{PATH}/app", operation_id="connect_app_page", problems=(CONNECT_PAGE_ENDED,), **HIDDEN)
async def app_page(call: NamedDependency[Call]) -> Response[bytes]:
    """The signs for the app; once it approved, the question for its digits."""
    async with call.begin_public() as tx:
        asking = await _asking(tx, call, None)
        # Claimed at each drawing: the signs change with the pepper, and those of before are found as well.
        code = None
        if not isinstance(asking, Refused) and asking.row.phase in ("open", "looked-at"):
            code = await authorizing.show_code(tx, call.keys, asking.row)
    if isinstance(asking, Refused):
        return _failed(call, None, asking)
    if asking.row.phase == "agreed":
        return page_answer(call, page_of(call, asking, _secret(call), "digits"))
    if code is None:
        return _go(PATH)
    return page_answer(call, page_of(call, asking, _secret(call), "app", code=code), headers={"Refresh": "4"})


@get(f"{PATH}/code.svg", operation_id="connect_code_picture", problems=(CONNECT_PAGE_ENDED,), **HIDDEN)
async def picture(call: NamedDependency[Call]) -> Response[bytes]:
    """The same signs for a camera."""
    async with call.begin_public() as tx:
        asking = await _asking(tx, call, None)
    if isinstance(asking, Refused):
        return answer(asking)
    drawn = svg(QR_PREFIX + page_code(call.keys, asking.row.request_id))
    return answer(drawn.encode(), media_type="image/svg+xml")


@post(f"{PATH}/finish", operation_id="connect_finish", problems=(*GIVING, DIGITS_WRONG), **FORM)
async def finish(call: NamedDependency[Call]) -> Response[bytes]:
    """The digits of the app."""
    form = read_form(await call.body()) or {}
    async with call.begin_public() as tx:
        asking = await _asking(tx, call, form)
        if isinstance(asking, Refused):
            return _failed(call, None, asking)
        if asking.row.phase != "agreed":
            return _go(PATH)
        right = await authorizing.digits_are_right(
            tx, call.keys, asking.row, form.get("digits", ""), call.now
        )
        address = await give_agreed(tx, call, asking) if right else Refused(problem=DIGITS_WRONG)
    if isinstance(address, Refused):
        again = page_of(call, asking, _secret(call), "digits", problem=address.problem)
        return page_answer(call, again, address.problem.status)
    return _go(address, cookie=_no_cookie(call))


@post(f"{PATH}/refuse", operation_id="connect_refuse", problems=(CONNECT_PAGE_ENDED,), **FORM)
async def refuse_page(call: NamedDependency[Call]) -> Response[bytes]:
    """The person says no."""
    form = read_form(await call.body()) or {}
    async with call.begin_public() as tx:
        asking = await _asking(tx, call, form)
        if isinstance(asking, Refused):
            return _failed(call, None, asking)
        await authorizing.end(tx, asking.row, call.now)
    return _go(denied(call, asking.row), cookie=_no_cookie(call))


async def _open(call: Call, given: dict[str, str]) -> Opened | Refused:
    """Our page with a cookie; or the client's address, where it is told what is wrong with its request."""
    async with call.begin_public() as tx:
        spent = await _spend(tx, call)
        client = None if spent is not None else await live_client(tx, _uuid(given.get("client_id", "")))
        if client is None:
            return spent or Refused(problem=CONNECT_CLIENT_UNKNOWN)
        if "request_uri" in given:
            cookie = await authorizing.open_pushed(tx, client.client_id, given["request_uri"], call.now)
            return _ENDED if cookie is None else Opened(PATH, cookie)
        asked = read_request(client, given, audience=call.origin + FHIR_PATH, pushed=False)
        if isinstance(asked, AuthorizationRequest):
            return Opened(PATH, await authorizing.open_new(tx, client, asked, call.now))
    if not asked.home:
        return Refused(problem=CONNECT_CLIENT_UNKNOWN)
    said = {"error": asked.error, "error_description": asked.where}
    return Opened(answer_address(given["redirect_uri"], call.origin, given.get("state"), said))


async def _spend(tx: Tx, call: Call) -> Refused | None:
    """One step that costs us a row, of those that a network may take in an hour."""
    network = budgets.subject(call.network_prefix())
    return await budgets.charge_or_refuse(tx, budgets.CONNECT_PAGES_NETWORK, network, call.now)


async def _asking(tx: Tx, call: Call, form: dict[str, str] | None) -> Asking | Refused:
    """What this browser's page is about. form: of a POST, which must come from that very page."""
    secret = _secret(call)
    if form is not None and not hmac.compare_digest(
        derived(secret, "form").encode(), form.get(OWN_FORM, "").encode()
    ):
        return _ENDED
    row = await authorizing.in_browser(tx, secret, call.now)
    if row is None or row.phase in ("granted", "redeemed"):
        return _ENDED
    return await asking_of(tx, row)


async def _checked(call: Call) -> Asking | Refused:
    form = read_form(await call.body()) or {}
    async with call.begin_public() as tx:
        return await _asking(tx, call, form)


async def _start(call: Call, asking: Asking) -> str | Refused:
    """The provider is asked with no transaction open."""
    if call.verifier is None:
        return Refused(problem=VERIFICATION_UNAVAILABLE)
    async with call.begin_public() as tx:
        spent = await _spend(tx, call)
    if spent is not None:
        return spent
    opened = await verification.open_at(call.verifier, call.now)
    if isinstance(opened, Refused):
        return opened
    call.time_went_by()
    challenge = verification.challenge_of(from_base64url(_identity_secret(call)) or b"")
    async with call.begin_public() as tx:
        begun = await verification.begin(
            tx,
            call.keys,
            opened,
            purpose="connect",
            secret_challenge=challenge,
            return_to=RETURN_PATH,
            now=call.now,
        )
        if isinstance(begun, Refused):
            return begun
        if not await authorizing.note_transaction(tx, asking.row, begun.transaction_id, call.now):
            return _ENDED
    return begun.address


async def _prove(tx: Tx, call: Call, asking: Asking, receipt: str) -> Refused | None:
    """Use the provider's word up. Too low a level, somebody else than is meant, nobody whom we know, a child:
    one answer, and the wish has ended with it. A returned refusal commits."""
    proven = await _claimed(tx, call, asking, receipt)
    if isinstance(proven, Proven):
        patient_id = await _person(tx, call, asking, proven)
        level = proven.row.level
        if patient_id is not None and not isinstance(await may_connect(tx, call, patient_id, level), Refused):
            row = await authorizing.prove(tx, asking.row, patient_id, level, proven.verification_id, call.now)
            return None if row is not None else _ENDED
    await authorizing.end(tx, asking.row, call.now)
    return Refused(problem=CONNECT_NOT_POSSIBLE)


async def _claimed(tx: Tx, call: Call, asking: Asking, receipt: str) -> Proven | Refused:
    return await verification.claim(
        tx,
        call.keys,
        receipt,
        _identity_secret(call),
        purpose="connect",
        transaction_id=asking.row.transaction_id,
        level_min=PERSON_LEVEL,
        now=call.now,
    )


async def _person(tx: Tx, call: Call, asking: Asking, proven: Proven) -> UUID | None:
    """Whose book the proven number opens: its own, if name, birth date and sex agree (security.md S17). It
    opens nobody's whom its owner was merged into (S10)."""
    said = proven.person
    if said.number is None or not authorizing.is_meant(call.keys, asking.row, said.number):
        return None
    claim = PersonClaim(
        identifiers=[IdentifierClaim("national-id", said.number)],
        name=said.name,
        birth_date=said.birth_date,
        sex=said.sex,
    )
    found = await match_person(tx, call.keys, claim, None, call.now)
    present = await resolve_present(tx, call.keys, "national-id", said.number, call.now)
    return present if isinstance(found, Matched) and found.patient_id == present else None


def _choice(form: dict[str, str]) -> Choice:
    """What the form says; nothing ticked and no length of time are left to `fits`."""
    ticked = tuple(name.removeprefix("box.") for name in form if name.startswith("box."))
    days = form.get("days", "")
    return Choice(ticked, int(days) if days.isascii() and days.isdigit() and len(days) < 5 else 0)


def _failed(call: Call, asking: Asking | None, refused: Refused) -> Answer:
    """What went wrong, and the way back to the client where one is known."""
    shown = Page("Không kết nối được", problem=refused.problem)
    if asking is not None:
        shown = page_of(call, asking, "", "back", address=denied(call, asking.row), problem=refused.problem)
    return page_answer(call, shown, refused.problem.status)


def _go(address: str, *, cookie: str | None = None) -> Answer:
    headers = {"Location": address} | ({} if cookie is None else {"Set-Cookie": cookie})
    return answer(None, 303, headers)


def _cookie_name(call: Call) -> str:
    return "__Host-connect" if is_secure(call) else "connect"


def _cookie(call: Call, value: str, life: int = int(LIFE.total_seconds())) -> str:
    secure = "; Secure" if is_secure(call) else ""
    return f"{_cookie_name(call)}={value}; Path=/; Max-Age={life}; HttpOnly; SameSite=Lax{secure}"


def _no_cookie(call: Call) -> str:
    return _cookie(call, "", 0)


def _secret(call: Call) -> str:
    """What the cookie of this browser says; empty without one."""
    try:
        found = SimpleCookie(call.header("cookie") or "").get(_cookie_name(call))
    except CookieError:
        return ""
    return "" if found is None else found.value


def _identity_secret(call: Call) -> str:
    return derived(_secret(call), "identity")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


handlers: list[Any] = [
    authorize,
    page,
    identity,
    come_back,
    decide_page,
    by_app,
    app_page,
    picture,
    finish,
    refuse_page,
]
