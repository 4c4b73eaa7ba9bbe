"""A client's own word for who it is: private_key_jwt (RFC 7523, OpenID Connect Core section 9). Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from joserfc.jwk import Key
from msgspec import Struct

from partners.oauth.signed import Unchecked, holds, id_in, instant_in, read, use_hash

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFE_MAX: Final = timedelta(minutes=5)
SKEW: Final = timedelta(seconds=30)


class Assertion(Struct, frozen=True):
    """An assertion as presented. client_id: whom it names; nobody checked that yet."""

    client_id: UUID
    unchecked: Unchecked

    @property
    def kid(self) -> str | None:
        kid = self.unchecked.header.get("kid")
        return kid if isinstance(kid, str) else None


class Held(Struct, frozen=True):
    """What remains to be done of an assertion that holds: to use it up."""

    use_hash: bytes
    expires_at: datetime


def read_assertion(text: str) -> Assertion | None:
    """Whom an assertion names: issuer and subject are the same client."""
    unchecked = read(text)
    if unchecked is None or "jwk" in unchecked.header:
        return None
    issuer = unchecked.claims.get("iss")
    if not isinstance(issuer, str) or unchecked.claims.get("sub") != issuer:
        return None
    try:
        return Assertion(UUID(issuer), unchecked)
    except ValueError:
        return None


def check_assertion(
    assertion: Assertion, keys: Sequence[Key], audiences: Iterable[str], now: datetime
) -> Held | None:
    """None unless a registered key signed it for us, for now. audiences: our issuer and token endpoint.

    A `kid` names one key of the set. Without one each key is tried: the set holds ten at most.
    """
    claims = assertion.unchecked.claims
    named = [key for key in keys if assertion.kid is None or key.kid == assertion.kid]
    if not any(holds(assertion.unchecked, key) for key in named):
        return None
    jti, expires = id_in(claims), instant_in(claims, "exp")
    if jti is None or expires is None or not _for_us(claims.get("aud"), audiences):
        return None
    at, skew = now.timestamp(), SKEW.total_seconds()
    if not at - skew < expires <= at + LIFE_MAX.total_seconds() + skew:
        return None
    # When it was made, and from when it holds, are optional; a future is refused.
    for name in ("iat", "nbf"):
        value = instant_in(claims, name)
        if name in claims and (value is None or value > at + skew):
            return None
    return Held(use_hash("assertion", str(assertion.client_id), jti), now + LIFE_MAX + 2 * SKEW)


def _for_us(audience: object, ours: Iterable[str]) -> bool:
    """One audience of ours, and no stranger's beside it."""
    named = [audience] if isinstance(audience, str) else audience
    return isinstance(named, list) and bool(named) and all(one in tuple(ours) for one in named)
