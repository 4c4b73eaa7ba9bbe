"""ID tokens: every check of OpenID Connect Core §3.1.3.7 and RFC 8725 in one place, without I/O."""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from msgspec import Struct

from identity.tokens import from_base64url, to_base64url
from partners.verifiers.keys import KEY_TYPE, PublicKey
from partners.verifiers.models import Issuer, ProviderError

TOKEN_MAX: Final = 16 * 1024
SKEW: Final = timedelta(seconds=60)
# A token is made while the browser waits; the person signed in for it.
AGE_MAX: Final = timedelta(minutes=10)
SIGNED_IN_WITHIN: Final = timedelta(minutes=5)
LIFE_MAX: Final = timedelta(hours=24)
_HASH: Final = {"ES384": hashlib.sha384, "EdDSA": hashlib.sha512, "Ed25519": hashlib.sha512}


class Header(Struct, frozen=True):
    """The protected header. Keys and addresses of keys in it are not even read."""

    alg: str
    kid: str | None = None
    typ: str = "JWT"
    crit: Any = msgspec.UNSET


class Claims(Struct, frozen=True):
    """The claims that are checked."""

    iss: str
    sub: str
    aud: str | list[str]
    exp: int | float
    iat: int | float
    nonce: str
    auth_time: int | float | None = None
    nbf: int | float | None = None
    azp: str | None = None
    acr: str | None = None
    at_hash: str | None = None


def header_of(token: str) -> Header:
    """Which key and algorithm a token asks for. Raises ProviderError."""
    parts = token.split(".")
    if len(token) > TOKEN_MAX or len(parts) != 3:
        raise ProviderError("token-form")
    raw = from_base64url(parts[0])
    if raw is None:
        raise ProviderError("token-form")
    try:
        header = msgspec.json.decode(raw, type=Header)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ProviderError("token-form") from None
    if header.crit is not msgspec.UNSET:
        raise ProviderError("critical-header")
    # An access token or a logout token of the same issuer is no ID token (RFC 8725 §3.11).
    if header.typ.upper() != "JWT":
        raise ProviderError("token-form")
    if header.alg not in KEY_TYPE:
        raise ProviderError("algorithm")
    return header


def read_id_token(
    token: str,
    header: Header,
    key: PublicKey,
    issuer: Issuer,
    *,
    nonce: str,
    access_token: str,
    now: datetime,
) -> tuple[Claims, dict[str, Any]]:
    """The claims of a token that holds, and all of them by name. Raises ProviderError."""
    try:
        payload = jws.deserialize_compact(token, key, algorithms=[header.alg]).payload
    except (JoseError, ValueError, TypeError):
        raise ProviderError("signature") from None
    try:
        claims = msgspec.json.decode(payload, type=Claims)
        everything = msgspec.json.decode(payload, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ProviderError("claims") from None
    _check_parties(claims, issuer)
    _check_times(claims, now)
    if not hmac.compare_digest(claims.nonce.encode(), nonce.encode()):
        raise ProviderError("nonce")
    if claims.at_hash is not None and claims.at_hash != half_hash(header.alg, access_token):
        raise ProviderError("access-token-hash")
    return claims, everything


def half_hash(alg: str, text: str) -> str:
    """`at_hash`: the left half of the hash that goes with the algorithm (OIDC Core §3.1.3.6)."""
    digest = _HASH.get(alg, hashlib.sha256)(text.encode("ascii", "replace")).digest()
    return to_base64url(digest[: len(digest) // 2])


def code_challenge(verifier: str) -> str:
    """PKCE S256 (RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _check_parties(claims: Claims, issuer: Issuer) -> None:
    if claims.iss != issuer.issuer:
        raise ProviderError("issuer")
    # We trust no other audience, so a token for several is not for us (§3.1.3.7, 3).
    if claims.aud not in (issuer.client_id, [issuer.client_id]):
        raise ProviderError("audience")
    if claims.azp not in (None, issuer.client_id):
        raise ProviderError("audience")
    if not claims.sub or len(claims.sub) > 255:
        raise ProviderError("claims")


def _check_times(claims: Claims, now: datetime) -> None:
    at, skew = now.timestamp(), SKEW.total_seconds()
    if not at - skew < claims.exp <= claims.iat + LIFE_MAX.total_seconds():
        raise ProviderError("time")
    if not at - AGE_MAX.total_seconds() - skew <= claims.iat <= at + skew:
        raise ProviderError("time")
    if claims.nbf is not None and claims.nbf > at + skew:
        raise ProviderError("time")
    # max_age was asked for, so it must be there (§3.1.2.1): on a shared phone the sign-in of whoever used it
    # before is not this person's (security.md S9).
    if claims.auth_time is None:
        raise ProviderError("not-fresh")
    if not at - SIGNED_IN_WITHIN.total_seconds() - skew <= claims.auth_time <= at + skew:
        raise ProviderError("not-fresh")
