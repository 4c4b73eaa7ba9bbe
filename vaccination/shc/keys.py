"""The issuer's own keys and address (RFC 7517, RFC 7638)."""

import hashlib
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.x509 import load_der_x509_certificate
from msgspec import Struct

from vaccination.shc.packing import to_base64url
from vaccination.signer.shapes import SHC_PATH

# A path of its own, so that no other key of this service verifies as a health card (security.md S28).
ISSUER_PATH: Final = SHC_PATH
COORDINATE_BYTES: Final = 32


class CardKey(Struct, kw_only=True, rename="camel"):
    """The public key of cards. crl_version: `ctr` of its list of revoked cards."""

    kid: str
    x: str
    y: str
    crl_version: int
    kty: Literal["EC"] = "EC"
    use: Literal["sig"] = "sig"
    alg: Literal["ES256"] = "ES256"
    crv: Literal["P-256"] = "P-256"


class CardKeys(Struct, kw_only=True):
    """A key set: the current key and those whose cards still stand."""

    keys: list[CardKey]


class RevokedCards(Struct, kw_only=True):
    """The list of one key. rids: base64url, at most 24 characters each; ctr: 1 for the empty list, and rises
    with each change."""

    kid: str
    ctr: int
    rids: list[str]
    method: Literal["rid"] = "rid"


def issuer_of(origin: str) -> str:
    """The `iss` of cards: https and no slash at the end, as the framework wants it."""
    return f"https://{origin.partition('://')[2]}{ISSUER_PATH}"


def key_of(certificate: bytes, crl_version: int) -> CardKey:
    """From a document signer's certificate (DER). Raises ValueError for a key that is not on P-256."""
    key = load_der_x509_certificate(certificate).public_key()
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise ValueError("not a key on P-256")
    numbers = key.public_numbers()
    x, y = (to_base64url(value.to_bytes(COORDINATE_BYTES)) for value in (numbers.x, numbers.y))
    return CardKey(kid=thumbprint(x, y), x=x, y=y, crl_version=crl_version)


def thumbprint(x: str, y: str) -> str:
    """SHA-256 over the key's required members in their order."""
    said = f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'
    return to_base64url(hashlib.sha256(said.encode()).digest())
