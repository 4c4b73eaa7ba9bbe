"""The issuer's keys: fetched, kept for an hour, fetched again for a key that is not among them.

What the issuer took off its list is gone with the next fetch; nothing of a token says which key checks it but
the key's id.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey
from msgspec import Struct

from partners.verifiers.http import ProviderHttp
from partners.verifiers.models import ProviderError

FRESH: Final = timedelta(hours=1)
# A stranger's tokens with invented key ids make no more than one fetch a minute.
AGAIN_AFTER: Final = timedelta(minutes=1)
REST: Final = timedelta(seconds=5)
KEYS_MAX: Final = 50
RSA_BITS_MIN: Final = 2048
# RFC 7518 §3.1, RFC 8037. No `none`, and nothing with a shared secret: a public key is none (RFC 8725 §2.1).
KEY_TYPE: Final = {"ES256": ("EC", "P-256"), "ES384": ("EC", "P-384"), "RS256": ("RSA", None)} | {
    "PS256": ("RSA", None),
    "EdDSA": ("OKP", "Ed25519"),
    # RFC 9864 names it so.
    "Ed25519": ("OKP", "Ed25519"),
}
PublicKey = ECKey | RSAKey | OKPKey


class _Jwks(Struct):
    keys: list[dict[str, Any]]


class IssuerKeys:
    """The keys of one issuer in one process."""

    def __init__(self, http: ProviderHttp) -> None:
        self._http = http
        self._keys: list[dict[str, Any]] = []
        self._fetched_at: datetime | None = None
        self._failed_at: datetime | None = None
        self._lock = asyncio.Lock()

    async def find(self, url: str, kid: str | None, alg: str, now: datetime) -> PublicKey:
        """The key for a token. Raises ProviderError where there is none, also after a new look."""
        async with self._lock:
            if self._fetched_at is None or now - self._fetched_at >= FRESH:
                await self._fetch(url, now)
            found = choose(self._keys, kid, alg)
            if found is None and self._fetched_at is not None and now - self._fetched_at >= AGAIN_AFTER:
                await self._fetch(url, now)
                found = choose(self._keys, kid, alg)
        if found is None:
            raise ProviderError("key")
        return found

    async def _fetch(self, url: str, now: datetime) -> None:
        """Whoever waited for a fetch that failed does not wait for another of the same outage."""
        if self._failed_at is not None and now - self._failed_at < REST:
            raise ProviderError("unreachable")
        self._failed_at = now
        self._keys = _read(await self._http.get(url))
        self._fetched_at, self._failed_at = now, None


def _read(body: bytes) -> list[dict[str, Any]]:
    try:
        keys = msgspec.json.decode(body, type=_Jwks).keys
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ProviderError("key") from None
    if len(keys) > KEYS_MAX:
        raise ProviderError("key")
    return keys


def choose(keys: list[dict[str, Any]], kid: str | None, alg: str) -> PublicKey | None:
    """The one key that can have signed. Without a key id only where a single key could (OIDC Core §10.1)."""
    fitting = [key for key in keys if _fits(key, alg) and (kid is None or key.get("kid") == kid)]
    if len(fitting) != 1:
        return None
    try:
        read = JWKRegistry.import_key(fitting[0])
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if not isinstance(read, ECKey | RSAKey | OKPKey):
        return None
    if isinstance(read, RSAKey) and read.public_key.key_size < RSA_BITS_MIN:
        return None
    return read


def _fits(key: dict[str, Any], alg: str) -> bool:
    kty, curve = KEY_TYPE[alg]
    return (
        key.get("kty") == kty
        and (curve is None or key.get("crv") == curve)
        and key.get("use", "sig") == "sig"
        and key.get("alg", alg) == alg
    )
