"""What a client's entry may hold: pure. Addresses are read as text here, and by store/egress.py on use."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from identity.app_clients.models import ClientKeySet, NewAppClient
from store.egress import EgressError, checked

KEYS_MAX: Final = 10
RSA_BITS_MIN: Final = 2048
RSA_BITS_MAX: Final = 8192
# Members that only a private or a shared key has (RFC 7518 section 6).
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_CURVES: Final = {"EC": frozenset({"P-256", "P-384"}), "OKP": frozenset({"Ed25519"})}
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
# An app's own scheme is a domain of its maker turned round (RFC 8252 section 7.1).
_OWN_SCHEME: Final = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
_SCOPE: Final = re.compile(r"[!#-\[\]-~]+")
_PRINTABLE: Final = re.compile(r"[!-~]+")


def wrong_field(new: NewAppClient) -> str | None:
    """The first field of an entry that cannot be used, or None."""
    public, partner = new.auth == "none", new.kind == "partner"
    faults = {
        "auth": partner and public,
        "groups_max": partner != bool(new.groups_max),
        "scopes_max": (partner and bool(new.scopes_max)) or not all(map(_SCOPE.fullmatch, new.scopes_max)),
        "redirect_uris": not (partner or new.redirect_uris)
        or not all(is_redirect(uri, native=public) for uri in new.redirect_uris),
        "jwks": public != (new.jwks is None and new.jwks_uri is None)
        or (new.jwks is not None and (new.jwks_uri is not None or not _hold(new.jwks))),
        "jwks_uri": not _may_be_fetched(new.jwks_uri),
        "webhook_uri": not _may_be_fetched(new.webhook_uri),
    }
    return next((field for field, wrong in faults.items() if wrong), None)


def is_redirect(uri: str, *, native: bool) -> bool:
    """Whether answers may be sent there: https; of an app on a phone or a computer also its own scheme, or
    its own machine (RFC 8252 section 7)."""
    if not _PRINTABLE.fullmatch(uri) or "#" in uri or "\\" in uri:
        return False
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return False
    if "@" in parts.netloc:
        return False
    if parts.scheme == "https":
        return bool(parts.hostname)
    if parts.scheme == "http":
        return native and parts.hostname in _LOOPBACK
    return native and _OWN_SCHEME.fullmatch(parts.scheme) is not None


def _hold(keys: ClientKeySet) -> bool:
    return keys_hold(msgspec.to_builtins(keys))


def keys_hold(jwks: Mapping[str, Any]) -> bool:
    """Whether a JWK Set holds public keys alone, of kinds and strengths that are taken."""
    keys = jwks.get("keys")
    if not isinstance(keys, list) or not 1 <= len(keys) <= KEYS_MAX:
        return False
    return all(public_key(one) is not None for one in keys)


def public_key(jwk: object) -> Key | None:
    """A key that a signature may be checked with: EC P-256 or P-384, Ed25519, RSA of 2048 bits or more.

    Taken by its own members alone; None for private, shared, weak and unknown ones.
    """
    if not isinstance(jwk, dict) or _PRIVATE & jwk.keys() or jwk.get("use", "sig") != "sig":
        return None
    kty, curve = jwk.get("kty"), jwk.get("crv")
    if kty != "RSA" and (not isinstance(kty, str) or curve not in _CURVES.get(kty, frozenset())):
        return None
    try:
        key = JWKRegistry.import_key(jwk)
        raw = key.public_key
    except (JoseError, ValueError, TypeError, KeyError, OverflowError):
        return None
    if isinstance(raw, RSAPublicKey):
        strong = RSA_BITS_MIN <= raw.key_size <= RSA_BITS_MAX and raw.public_numbers().e >= 3
        return key if strong else None
    return key


def _may_be_fetched(address: str | None) -> bool:
    if address is None:
        return True
    try:
        checked(address)
    except EgressError:
        return False
    return True
