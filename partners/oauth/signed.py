"""Signed texts of clients (compact JWS), read without trusting a word of them before the key holds. Pure.

One list of algorithms, each for one kind of key, so that no header chooses how it is checked: `none`, HS*,
keys and addresses inside a token, and `crit` are refused.
"""

import hashlib
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key
from msgspec import Struct

from identity.tokens import from_base64url

ALGORITHMS: Final = ("ES256", "ES384", "PS256", "RS256", "EdDSA", "Ed25519")
TEXT_MAX: Final = 8000
ID_MAX: Final = 256
# What would let a token say with which key it is to be checked, or how to read it.
_FOREIGN: Final = frozenset({"jku", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64", "zip"})


class Unchecked(Struct, frozen=True):
    """The parts of a text whose signature nobody checked yet."""

    text: str
    header: dict[str, Any]
    claims: dict[str, Any]


def read(text: str) -> Unchecked | None:
    """Header and claims of a compact JWS of an algorithm that is taken; None for everything else."""
    parts = text.split(".")
    if len(text) > TEXT_MAX or len(parts) != 3 or not all(parts):
        return None
    header, claims = _object(parts[0]), _object(parts[1])
    if header is None or claims is None or header.get("alg") not in ALGORITHMS or _FOREIGN & header.keys():
        return None
    return Unchecked(text, header, claims)


def holds(unchecked: Unchecked, key: Key) -> bool:
    """Whether this key made the signature, by the one algorithm that goes with it."""
    alg = unchecked.header["alg"]
    if alg not in algorithms_of(key) or key.alg not in (None, alg):
        return False
    try:
        jws.deserialize_compact(unchecked.text, key, algorithms=[alg])
    except (JoseError, ValueError, TypeError):
        return False
    return True


def algorithms_of(key: Key) -> frozenset[str]:
    """The algorithms that a key may be used with here."""
    raw = key.raw_value
    if isinstance(raw, RSAPublicKey):
        return frozenset({"RS256", "PS256"})
    if isinstance(raw, Ed25519PublicKey):
        return frozenset({"EdDSA", "Ed25519"})
    if isinstance(raw, EllipticCurvePublicKey):
        if isinstance(raw.curve, SECP256R1):
            return frozenset({"ES256"})
        return frozenset({"ES384"}) if isinstance(raw.curve, SECP384R1) else frozenset()
    return frozenset()


def use_hash(kind: str, whose: str, jti: str) -> bytes:
    """What rests of a proof that was used."""
    return hashlib.sha256(f"{kind}\0{whose}\0{jti}".encode()).digest()


def id_in(claims: dict[str, Any]) -> str | None:
    """The `jti` of a text."""
    jti = claims.get("jti")
    return jti if isinstance(jti, str) and 1 <= len(jti) <= ID_MAX else None


def instant_in(claims: dict[str, Any], name: str) -> float | None:
    """A time of a text, in seconds since 1970; None where it is absent or no number."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < 1e11 else None


def _object(part: str) -> dict[str, Any] | None:
    raw = from_base64url(part)
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
