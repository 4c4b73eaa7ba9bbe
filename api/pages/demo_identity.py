"""A stand-in for an identity provider, in a demo database only (security.md S4): an OpenID Connect issuer
with a page to sign in and agree on, two levels, and whatever person somebody types, so also the wrong one.

It is not VNeID, knows nothing of it, and every page says so. Whoever types a number "is" that person here.
"""

import hashlib
import re
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from msgspec import Struct

from api.pages import demo_identity_tokens as tokens
from api.pages.demo_identity_tokens import Agreed
from api.pages.docs import HTML
from api.pages.plain import LOOK, plain_page
from api.request import Call, answer
from identity import budgets, people
from identity.budgets import Budget
from identity.identifiers import normal_identifier
from store.database import Tx

HIDDEN: Final[dict[str, Any]] = {
    "actors": ("public",),
    "tags": ["demo"],
    "include_in_schema": False,
    "problems": (),
    "any_query": True,
}
# The page's form leads on to the app, wherever that is, so no form-action is named.
PAGE: Final = {
    "Content-Security-Policy": f"default-src 'none'; {LOOK}; frame-ancestors 'none'; base-uri 'none'"
}
OURS: Final = "so-suc-khoe"
# For libraries of others that are tried out against it, on any port of this machine (RFC 8252 §7.3).
INTEROP: Final = "interop"
CLIENTS: Final = {OURS: "Sổ sức khỏe điện tử", INTEROP: "Phần mềm thử kết nối"}
LEVELS: Final = {"1": "urn:mo-phong:muc-1", "2": "urn:mo-phong:muc-2"}
CODES: Final = Budget(kind="demo-identity-code", limit=1, window=timedelta(days=1))
_INTEROP_BACK: Final = re.compile(r"http://127\.0\.0\.1:[0-9]{1,5}/callback")
_BIRTH_DATE: Final = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")


class Asked(Struct, frozen=True, kw_only=True):
    """A client's request (OpenID Connect Core §3.1.2.1), checked as far as it may be answered at all."""

    client_id: str
    redirect_uri: str
    state: str
    nonce: str
    challenge: str
    scope: str


@get("/demo/identity/.well-known/openid-configuration", operation_id="demo_identity_discovery", **HIDDEN)
async def discovery(call: NamedDependency[Call]) -> Response[bytes]:
    """OpenID Connect Discovery §3."""
    return _json(_discovery(_issuer(call)))


def _discovery(issuer: str) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/jwks",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": [tokens.ALGORITHM],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "profile"],
        "acr_values_supported": list(LEVELS.values()),
        "authorization_response_iss_parameter_supported": True,
    }


@get("/demo/identity/jwks", operation_id="demo_identity_jwks", **HIDDEN)
async def jwks(call: NamedDependency[Call]) -> Response[bytes]:
    """The key that tokens are signed with."""
    return _json(tokens.jwks(call.keys))


@get("/demo/identity/authorize", operation_id="demo_identity_page", **HIDDEN)
async def page(call: NamedDependency[Call]) -> Response[bytes]:
    """Sign in as anybody and agree."""
    query = {name: call.request.query_params.get(name, "") for name in call.request.query_params}
    asked = _asked(call, query)
    return _page("Yêu cầu này không đúng dạng.", None, 400) if asked is None else _page("", asked)


@post("/demo/identity/authorize", status_code=303, operation_id="demo_identity_agree", **HIDDEN)
async def agree(call: NamedDependency[Call]) -> Response[bytes]:
    """Back to the client, with a code or without one."""
    form = await _form(call)
    asked = _asked(call, form)
    if asked is None:
        return _page("Yêu cầu này không đúng dạng.", None, 400)
    if form.get("decision") != "allow":
        return _redirect(call, asked, {"error": "access_denied"})
    code = await _code(call, asked, form)
    if code is None:
        return _page("Hãy nhập đủ 12 chữ số và, với người chưa có trong bản thử nghiệm, họ tên.", asked, 400)
    return _redirect(call, asked, {"code": code})


async def _code(call: Call, asked: Asked, form: dict[str, str]) -> str | None:
    async with call.begin_public() as tx:
        claims = await _claims(tx, call, asked, form)
    if claims is None:
        return None
    agreed = Agreed(
        client_id=asked.client_id,
        redirect_uri=asked.redirect_uri,
        challenge=asked.challenge,
        nonce=asked.nonce,
        claims=claims,
        at=int(call.now.timestamp()),
    )
    return tokens.write(call.keys, "code", agreed, call.now)


@post("/demo/identity/token", status_code=200, operation_id="demo_identity_token", **HIDDEN)
async def token(call: NamedDependency[Call]) -> Response[bytes]:
    """A code for an ID token, once (RFC 6749 §4.1.3, RFC 7636 §4.6)."""
    form = await _form(call)
    agreed = tokens.read(call.keys, "code", form.get("code", ""), call.now)
    if form.get("grant_type") != "authorization_code":
        return _json({"error": "unsupported_grant_type"}, 400)
    if agreed is None or not _is_its_own(agreed, form) or not await _first_use(call, form["code"]):
        return _json({"error": "invalid_grant"}, 400)
    return _json(_tokens(call, agreed))


def _tokens(call: Call, agreed: Agreed) -> dict[str, Any]:
    access_token = tokens.write(call.keys, "token", agreed, call.now)
    return {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": tokens.TOKEN_SECONDS,
        "id_token": tokens.id_token(call.keys, _issuer(call), agreed, access_token, call.now),
    }


@get("/demo/identity/userinfo", operation_id="demo_identity_userinfo", **HIDDEN)
async def userinfo(call: NamedDependency[Call]) -> Response[bytes]:
    """The same claims again (OpenID Connect Core §5.3)."""
    text = (call.header("authorization") or "").removeprefix("Bearer ")
    agreed = tokens.read(call.keys, "token", text, call.now)
    wrong = {"error": "invalid_token", "code": "invalid-token"}
    return _json(wrong, 401) if agreed is None else _json(agreed.claims)


def _issuer(call: Call) -> str:
    """Under the name that it was asked by: a demo answers to names of this machine alone."""
    return f"http://{call.header('host') or 'localhost'}/demo/identity"


def _asked(call: Call, given: dict[str, str]) -> Asked | None:
    asked = Asked(
        client_id=given.get("client_id", ""),
        redirect_uri=given.get("redirect_uri", ""),
        state=given.get("state", ""),
        nonce=given.get("nonce", ""),
        challenge=given.get("code_challenge", ""),
        scope=given.get("scope", ""),
    )
    right = (
        _may_return(call, asked.client_id, asked.redirect_uri)
        and given.get("response_type") == "code"
        and given.get("code_challenge_method") == "S256"
        and len(asked.challenge) == 43
        and "openid" in asked.scope.split()
        and len(asked.state) + len(asked.nonce) <= 2000
    )
    return asked if right else None


def _may_return(call: Call, client_id: str, redirect_uri: str) -> bool:
    if client_id == OURS:
        return redirect_uri == f"{call.origin}/v1/auth/identity/callback"
    return client_id == INTEROP and _INTEROP_BACK.fullmatch(redirect_uri) is not None


async def _claims(tx: Tx, call: Call, asked: Asked, form: dict[str, str]) -> dict[str, Any] | None:
    """What the tokens will say: of a person of the demo what the book knows, of others what was typed."""
    number = normal_identifier("national-id", form.get("number", ""))
    level = LEVELS.get(form.get("level", ""))
    if number is None or level is None:
        return None
    found = await people.resolve_subject(tx, call.keys, "national-id", number, call.now)
    known = None if found is None else await people.demographics(tx, call.keys, found)
    name = form.get("name", "").strip() or (known.name if known else None)
    typed = form.get("birth_date", "").strip()
    if not name or len(name) > 200 or not (typed == "" or _BIRTH_DATE.fullmatch(typed)):
        return None
    birth_date = typed or (known.birth_date if known else None)
    children = [normal_identifier("national-id", one) for one in form.get("children", "").split(",")]
    claims = {
        "sub": hashlib.sha256(f"{asked.client_id}\0{number}".encode()).hexdigest()[:32],
        "acr": level,
        "so_dinh_danh": number,
        "name": name,
        "birthdate": birth_date,
        "gender": form.get("sex") or (known.sex if known else None),
        "con_phu_thuoc": [one for one in children if one] or None,
    }
    return {claim: value for claim, value in claims.items() if value is not None}


def _is_its_own(agreed: Agreed, form: dict[str, str]) -> bool:
    same = (agreed.client_id, agreed.redirect_uri) == (form.get("client_id"), form.get("redirect_uri"))
    return same and tokens.verifier_fits(agreed, form.get("code_verifier", ""))


async def _first_use(call: Call, code: str) -> bool:
    async with call.begin_public() as tx:
        return await budgets.charge(tx, CODES, budgets.subject(code), call.now)


async def _form(call: Call) -> dict[str, str]:
    """RFC 6749 appendix B. A field that comes twice counts for nothing."""
    given = parse_qs((await call.body()).decode("utf-8", "replace"), max_num_fields=40)
    return {name: values[0] for name, values in given.items() if len(values) == 1 and "\0" not in values[0]}


def _page(problem: str, asked: Asked | None, status: int = 200) -> Response[bytes]:
    client = CLIENTS.get(asked.client_id, "") if asked else ""
    shown = plain_page("demo_identity.html", problem=problem, asked=asked, client=client)
    return answer(shown, status, headers=PAGE, media_type=HTML)


def _redirect(call: Call, asked: Asked, answered: dict[str, str]) -> Response[bytes]:
    query = {**answered, "state": asked.state, "iss": _issuer(call)}
    return answer(None, headers={"Location": f"{asked.redirect_uri}?{urlencode(query)}"})


def _json(document: dict[str, Any], status: int = 200) -> Response[bytes]:
    return answer(msgspec.json.encode(document), status)


handlers: list[Any] = [discovery, jwks, page, agree, token, userinfo]
