"""One key of a health card issuer's key set (RFC 7517; SMART Health Cards 1.4.0), read strictly: P-256, its
thumbprint as kid, no private half, and a certificate chain that says the same where there is one."""

import base64
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID

from vaccination.shc.keys import COORDINATE_BYTES, thumbprint
from vaccination.trust.models import TrustedKey

_WANTED: Final = {"kty": "EC", "use": "sig", "alg": "ES256", "crv": "P-256"}
CHAIN_MAX: Final = 8


class JwkError(Exception):
    """A key that is not taken. The text is the member that is wrong, or `private`."""


def card_key(jwk: object, issuer: str | None) -> TrustedKey:
    """Raises JwkError. issuer: the address that its certificate has to name, where it brings one."""
    if not isinstance(jwk, Mapping):
        raise JwkError("form")
    if "d" in jwk:
        raise JwkError("private")
    for member, value in _WANTED.items():
        if jwk.get(member) != value:
            raise JwkError(member)
    x, y = jwk.get("x"), jwk.get("y")
    if not isinstance(x, str) or not isinstance(y, str):
        raise JwkError("x")
    if jwk.get("kid") != thumbprint(x, y):
        raise JwkError("kid")
    spki = _spki(x, y)
    leaf = _leaf(jwk["x5c"], issuer, spki) if "x5c" in jwk else None
    return TrustedKey(
        kid=thumbprint(x, y),
        purpose="shc",
        spki=spki,
        issuer=issuer,
        not_before=None if leaf is None else leaf.not_valid_before_utc,
        not_after=None if leaf is None else leaf.not_valid_after_utc,
    )


def _spki(x: str, y: str) -> bytes:
    try:
        key = EllipticCurvePublicNumbers(_coordinate(x), _coordinate(y), SECP256R1()).public_key()
    except ValueError:
        raise JwkError("x") from None
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _coordinate(text: str) -> int:
    """Raises ValueError."""
    value = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    if len(value) != COORDINATE_BYTES:
        raise ValueError("coordinate")
    return int.from_bytes(value)


def _leaf(x5c: Any, issuer: str | None, spki: bytes) -> x509.Certificate:
    """The first of the chain: of this key, in the issuer's name, and each signed by the next."""
    try:
        ders = [base64.b64decode(one, validate=True) for one in x5c[:CHAIN_MAX]]
        chain = [x509.load_der_x509_certificate(der) for der in ders]
        leaf = chain[0]
        key = leaf.public_key()
        named = leaf.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
        assert isinstance(named, x509.SubjectAlternativeName)
        uris = named.get_values_for_type(x509.UniformResourceIdentifier)
        for one, signed_by in pairwise(chain):
            one.verify_directly_issued_by(signed_by)
    except (ValueError, TypeError, KeyError, IndexError, InvalidSignature, x509.ExtensionNotFound):
        raise JwkError("x5c") from None
    is_same = isinstance(key, EllipticCurvePublicKey) and (
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == spki
    )
    if not is_same or not uris or (issuer is not None and issuer not in uris):
        raise JwkError("x5c")
    return leaf
