"""Proofs that the caller holds the key that a token is bound to (RFC 9449). Pure; single use is a row.

Nonces of section 8 are not asked for: a proof lives a minute and counts once.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from joserfc.jwk import Key
from msgspec import Struct

from identity.app_clients.policy import public_key
from identity.tokens import to_base64url
from partners.oauth.signed import holds, id_in, instant_in, read, use_hash

TYP: Final = "dpop+jwt"
# How old a proof may be, and how far a client's clock may be ahead of ours.
AGE_MAX: Final = timedelta(seconds=60)
AHEAD_MAX: Final = timedelta(seconds=15)
_PORTS: Final = {"https": 443, "http": 80}


class Proof(Struct, frozen=True):
    """A proof whose signature holds for this request. jkt: the key's thumbprint (RFC 7638)."""

    jkt: str
    use_hash: bytes
    expires_at: datetime


def check_proof(text: str, *, method: str, url: str, token: str | None, now: datetime) -> Proof | None:
    """The checks of RFC 9449 section 4.3. url: of this request without its query. token: what is presented
    with it, None at the token endpoint. Whether it was used before, and whose token it is, is asked after.
    """
    unchecked = read(text)
    if unchecked is None or unchecked.header.get("typ") != TYP:
        return None
    key, jti = public_key(unchecked.header.get("jwk")), id_in(unchecked.claims)
    if key is None or jti is None or not holds(unchecked, key):
        return None
    if not _is_for(unchecked.claims, method, url, token) or not _is_fresh(unchecked.claims, now):
        return None
    jkt = thumbprint(key)
    return Proof(jkt, use_hash("dpop", jkt, jti), now + AGE_MAX + AHEAD_MAX)


def _is_for(claims: dict[str, Any], method: str, url: str, token: str | None) -> bool:
    bound = token is None or claims.get("ath") == _hash_of(token)
    return bound and claims.get("htm") == method and _is_address(claims.get("htu"), url)


def _is_fresh(claims: dict[str, Any], now: datetime) -> bool:
    issued_at = instant_in(claims, "iat")
    if issued_at is None:
        return False
    return -AHEAD_MAX.total_seconds() <= now.timestamp() - issued_at <= AGE_MAX.total_seconds()


def thumbprint(key: Key) -> str:
    """RFC 7638, SHA-256."""
    return key.thumbprint()


def _hash_of(token: str) -> str:
    return to_base64url(hashlib.sha256(token.encode("ascii", "replace")).digest())


def _is_address(htu: object, url: str) -> bool:
    """Whether a proof names this address: compared without query and fragment, case of scheme and host, and
    the port that goes without saying (RFC 9449 section 4.3, step 9)."""
    return isinstance(htu, str) and len(htu) <= 2000 and _parts(htu) == _parts(url) is not None


def _parts(url: str) -> tuple[str, str, int, str] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    return scheme, parts.hostname.lower(), port or _PORTS[scheme], parts.path or "/"
