"""Any OpenID Connect issuer as a verifier of identities: authorization code flow with PKCE S256, state,
nonce, the issuer's own name in its answer (RFC 9207), and a sign-in that is minutes old.

Whether a Vietnamese identity service speaks this protocol, and what it calls its claims and levels, is not
public; a real one is connected by settings, or by an adapter of its own beside this one (README.md).
"""

import asyncio
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import msgspec
import structlog

from identity.tokens import to_base64url
from identity.verification.models import Method, Started, Verified
from identity.verification.problems import VERIFICATION_REFUSED, VERIFICATION_UNAVAILABLE
from kernel.problems import Refused
from partners.verifiers.claims import level_of, verified
from partners.verifiers.http import SECONDS_MAX, ProviderHttp, may_ask
from partners.verifiers.id_tokens import SIGNED_IN_WITHIN, Claims, code_challenge, header_of, read_id_token
from partners.verifiers.keys import IssuerKeys
from partners.verifiers.models import Discovery, Issuer, Kept, ProviderError, Reason, TokenAnswer

DISCOVERY_FRESH: Final = timedelta(hours=1)
# After a failure nobody waits for the next one of the same outage.
DISCOVERY_REST: Final = timedelta(seconds=5)
_AWAY: Final[frozenset[Reason]] = frozenset({"unreachable", "timeout", "status", "too-large", "busy"})

T = TypeVar("T")

log = structlog.get_logger("identity")


class OidcVerifier:
    """One issuer. Holds connections, keys and the discovery document; closed with the application."""

    def __init__(self, issuer: Issuer, seconds: float = SECONDS_MAX) -> None:
        self._issuer = issuer
        self._http = ProviderHttp(issuer, seconds)
        self._keys = IssuerKeys(self._http)
        self._discovery: tuple[Discovery, datetime] | None = None
        self._failed: tuple[ProviderError, datetime] | None = None
        self._lock = asyncio.Lock()

    @property
    def method(self) -> Method:
        return "oidc"

    @property
    def provider(self) -> str:
        return self._issuer.issuer

    async def start(self, state: str, now: datetime) -> Started | Refused:
        """The address of the sign-in (OIDC Core §3.1.2.1)."""
        try:
            discovery = await self._discover(now)
        except ProviderError as error:
            return _refused(error)
        kept = Kept(nonce=_random(), code_verifier=_random())
        query = {
            "response_type": "code",
            "client_id": self._issuer.client_id,
            "redirect_uri": self._issuer.redirect_uri,
            "scope": self._issuer.scopes,
            "state": state,
            "nonce": kept.nonce,
            "code_challenge": code_challenge(kept.code_verifier),
            "code_challenge_method": "S256",
            "acr_values": " ".join(sorted(self._issuer.levels, key=lambda acr: -self._issuer.levels[acr])),
            "prompt": "login",
            "max_age": str(int(SIGNED_IN_WITHIN.total_seconds())),
            "ui_locales": "vi",
        }
        joint = "&" if "?" in discovery.authorization_endpoint else "?"
        address = f"{discovery.authorization_endpoint}{joint}{urlencode(query)}"
        return Started(address=address, kept=msgspec.json.encode(kept).decode())

    async def finish(self, answer: Mapping[str, str], kept: str, now: datetime) -> Verified | Refused:
        """Exchange the code, check the token, read the claims."""
        try:
            return await self._finish(answer, msgspec.json.decode(kept, type=Kept), now)
        except ProviderError as error:
            return _refused(error)

    async def _finish(self, answer: Mapping[str, str], kept: Kept, now: datetime) -> Verified:
        discovery = await self._discover(now)
        named = answer.get("iss")
        if named is None and discovery.authorization_response_iss_parameter_supported:
            raise ProviderError("issuer")
        if named not in (None, self._issuer.issuer):
            raise ProviderError("issuer")
        code = answer.get("code")
        if code is None or "error" in answer:
            raise ProviderError("denied")
        tokens = await self._exchange(discovery, code, kept)
        header = header_of(tokens.id_token)
        key = await self._keys.find(discovery.jwks_uri, header.kid, header.alg, now)
        claims, everything = read_id_token(
            tokens.id_token,
            header,
            key,
            self._issuer,
            nonce=kept.nonce,
            access_token=tokens.access_token,
            now=now,
        )
        level = level_of(self._issuer.levels, claims.acr)
        if level and self._issuer.claims.get("number") not in everything and discovery.userinfo_endpoint:
            # What was signed goes before what only came over the same line.
            everything = await self._userinfo(discovery.userinfo_endpoint, tokens, claims) | everything
        return verified(level, self._issuer.claims, everything)

    async def _exchange(self, discovery: Discovery, code: str, kept: Kept) -> TokenAnswer:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._issuer.redirect_uri,
            "code_verifier": kept.code_verifier,
        }
        basic = None
        if self._issuer.client_secret:
            # RFC 6749 §2.3.1: both are form-encoded first.
            both = (self._issuer.client_id, self._issuer.client_secret)
            basic = (_form_encoded(both[0]), _form_encoded(both[1]))
        else:
            form["client_id"] = self._issuer.client_id
        read = _decode(await self._http.post(discovery.token_endpoint, form, basic), TokenAnswer)
        if read.token_type.lower() != "bearer" or not read.access_token.isascii():
            raise ProviderError("token-answer")
        return read

    async def _userinfo(self, endpoint: str, tokens: TokenAnswer, claims: Claims) -> dict[str, Any]:
        """What the token left out; of the same person, or it counts for nothing (OIDC Core §5.3.2)."""
        body = await self._http.get(endpoint, bearer=tokens.access_token)
        more: dict[str, Any] = _decode(body, dict)
        if more.get("sub") != claims.sub:
            raise ProviderError("subject")
        return more

    async def _discover(self, now: datetime) -> Discovery:
        """The issuer's own description, an hour old at most."""
        async with self._lock:
            if self._discovery is not None and now - self._discovery[1] < DISCOVERY_FRESH:
                return self._discovery[0]
            if self._failed is not None and now - self._failed[1] < DISCOVERY_REST:
                raise self._failed[0]
            try:
                found = await self._fetch_discovery()
            except ProviderError as error:
                self._failed = (error, now)
                raise
            self._discovery, self._failed = (found, now), None
            return found

    async def _fetch_discovery(self) -> Discovery:
        address = self._issuer.issuer.removesuffix("/") + "/.well-known/openid-configuration"
        found = _decode(await self._http.get(address), Discovery)
        if found.issuer != self._issuer.issuer:
            raise ProviderError("issuer")
        endpoints = [found.authorization_endpoint, found.token_endpoint, found.jwks_uri]
        endpoints += [found.userinfo_endpoint] if found.userinfo_endpoint else []
        if not all(may_ask(self._issuer, endpoint) for endpoint in endpoints):
            raise ProviderError("endpoint")
        methods = found.code_challenge_methods_supported
        if methods is not None and "S256" not in methods:
            raise ProviderError("endpoint")
        return found

    async def close(self) -> None:
        await self._http.close()


def _decode(body: bytes, type_: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=type_)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ProviderError("token-answer") from None


def _refused(error: ProviderError) -> Refused:
    """One of two sentences for the person; the reason for the operator, without a value."""
    log.warning("identity not verified", reason=error.reason)
    return Refused(problem=VERIFICATION_UNAVAILABLE if error.reason in _AWAY else VERIFICATION_REFUSED)


def _random() -> str:
    return to_base64url(secrets.token_bytes(32))


def _form_encoded(text: str) -> str:
    return urlencode({"": text})[1:]
