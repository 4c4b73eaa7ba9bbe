"""What a client's authorization request must say: pure (RFC 6749 §4.1.1, RFC 7636, SMART App Launch 2.2).

Two kinds of faults. Where the client or its address is not known, nothing goes there: the page says it. All
else goes back to the client's own address.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, TypeAlias
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct

from identity.app_clients.models import AppClient
from kernel.access import PARTNER_GROUPS, PartnerGroup
from partners.smart.pkce import METHOD, is_challenge
from partners.smart.scopes import Asked, Item, Wanted, read_scopes

STATE_MAX: Final = 1000
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})

Fault: TypeAlias = Literal["invalid_request", "invalid_scope", "unsupported_response_type"]

_ERRORS: Final[dict[str, Fault]] = {"response_type": "unsupported_response_type", "scope": "invalid_scope"}


class AuthorizationRequest(Struct, frozen=True, kw_only=True):
    """A request that may be shown to a person. scope: in the client's own words."""

    redirect_uri: str
    scope: str
    state: str | None
    code_challenge: str
    jkt: str | None
    login_hint: str | None


class Wish(Struct, frozen=True):
    """What the client may be given at most: the boxes of the page. smart: of an app."""

    groups: tuple[PartnerGroup, ...] = ()
    smart: Wanted | None = None

    @property
    def boxes(self) -> list[str]:
        """What can be ticked, in the order of the page."""
        return [*self.groups] if self.smart is None else sorted(self.smart.items)

    @property
    def offline(self) -> bool:
        """Whether the client asks to come back without the person."""
        return self.smart is None or self.smart.offline


class Refusal(Struct, frozen=True):
    """home: whether the client may be told at its own address."""

    error: Fault
    home: bool = True
    where: str = ""


def redirect_of(client: AppClient, given: str | None) -> str | None:
    """The address that answers go to; None: not one that was registered, or none was named.

    Compared sign by sign, save the port of one's own machine (RFC 8252 §7.3).
    """
    if given is None:
        return None
    return given if any(_same(one, given) for one in client.redirect_uris) else None


def read_request(
    client: AppClient, given: Mapping[str, str], *, audience: str, pushed: bool
) -> AuthorizationRequest | Refusal:
    """audience: the base address of our FHIR endpoint, which an app has to name. pushed: the client sent this
    itself and proved who it is; otherwise it came along with a browser."""
    redirect = redirect_of(client, given.get("redirect_uri"))
    if redirect is None:
        return Refusal("invalid_request", home=False, where="redirect_uri")
    if client.kind == "partner" and not pushed:
        return Refusal("invalid_request", where="request_uri")
    fault = _fault(client, given, audience, pushed=pushed)
    if fault is not None:
        return fault
    return AuthorizationRequest(
        redirect_uri=redirect,
        scope=given["scope"],
        state=given.get("state"),
        code_challenge=given["code_challenge"],
        jkt=given.get("dpop_jkt"),
        login_hint=given.get("login_hint"),
    )


def wish_of(client: AppClient, scope: str) -> Wish | None:
    """What of it this client may ask for today; None: nothing, or for a partner anything beyond."""
    if client.kind == "partner":
        words = scope.split(" ")
        if not words or not set(words) <= set(client.groups_max):
            return None
        return Wish(groups=tuple(group for group in PARTNER_GROUPS if group in words))
    wanted, most = read_scopes(scope), read_scopes(" ".join(client.scopes_max))
    if wanted is None or most is None:
        return None
    asked = tuple(_capped(one, most.items) for one in wanted.asked)
    capped = Wanted(asked, wanted.launch, wanted.offline and most.offline)
    return Wish(smart=capped) if capped.items else None


def answer_address(redirect_uri: str, issuer: str, state: str | None, answer: Mapping[str, str]) -> str:
    """Where the browser goes with a code or an error: state as it came, iss so that no client takes one
    server's answer for another's (RFC 9207)."""
    said = {**answer, **({} if state is None else {"state": state}), "iss": issuer}
    return f"{redirect_uri}{'&' if urlsplit(redirect_uri).query else '?'}{urlencode(said)}"


def origin_of(redirect_uri: str) -> str:
    """What a page's policy must let a form lead to: scheme and host, or the app's own scheme."""
    parts = urlsplit(redirect_uri)
    # A policy has no word for an IPv6 address: browsers would pass it over.
    named = parts.scheme in ("http", "https") and "[" not in parts.netloc
    return f"{parts.scheme}://{parts.netloc}" if named else f"{parts.scheme}:"


def groups_of(ticked: Iterable[str]) -> list[PartnerGroup]:
    return [group for group in PARTNER_GROUPS if group in set(ticked)]


def items_of(ticked: Iterable[str]) -> frozenset[Item]:
    """Boxes of an app's page that were ticked; they came through `Wish.boxes`."""
    return frozenset(msgspec.convert(one, Item) for one in ticked)


def _fault(client: AppClient, given: Mapping[str, str], audience: str, *, pushed: bool) -> Refusal | None:
    """The first thing that is wrong. A person's number stands in no address (security.md S34), so a hint is
    only pushed. `launch` comes from a program that starts others: none does here."""
    app, jkt = client.kind == "app", given.get("dpop_jkt", "")
    wrong: dict[str, bool] = {
        "response_type": given.get("response_type") != "code",
        "response_mode": given.get("response_mode", "query") != "query",
        "request": "request" in given,
        "launch": "launch" in given,
        "code_challenge_method": given.get("code_challenge_method") != METHOD,
        "code_challenge": not is_challenge(given.get("code_challenge", "")),
        "login_hint": "login_hint" in given and not pushed,
        "state": (app and not given.get("state")) or len(given.get("state", "")) > STATE_MAX,
        "dpop_jkt": bool(jkt) and not is_challenge(jkt),
        # A client that was lured to another server would name that one.
        "aud": app and given.get("aud", "").rstrip("/") != audience,
        "scope": wish_of(client, given.get("scope", "")) is None,
    }
    where = next((name for name, is_wrong in wrong.items() if is_wrong), None)
    return None if where is None else Refusal(_ERRORS.get(where, "invalid_request"), where=where)


def _capped(one: Asked, most: frozenset[Item]) -> Asked:
    if one.items <= most:
        return one
    return Asked(one.scope, one.resource, one.permission, one.items & most, whole=False)


def _same(registered: str, given: str) -> bool:
    if registered == given:
        return True
    ours = urlsplit(registered)
    if ours.scheme != "http" or ours.hostname not in _LOOPBACK:
        return False
    host = f"[{ours.hostname}]" if ":" in (ours.hostname or "") else ours.hostname
    rest = registered.removeprefix(f"http://{ours.netloc}")
    head, tail = f"http://{host}:", given.removeprefix(f"http://{host}:")
    port = tail.removesuffix(rest) if given.startswith(head) and tail.endswith(rest) else ""
    return port.isascii() and port.isdigit() and 0 < int(port) < 65536
