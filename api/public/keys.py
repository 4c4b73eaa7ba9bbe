"""The public keys that others check our signatures with, one address per purpose (security.md S28)."""

from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from litestar import Response, get
from litestar.di import NamedDependency
from msgspec import Struct

from api.request import Call, answer
from identity.tokens import to_base64url

TAGS = ["keys"]
COORDINATE_BYTES = 32


class Ed25519Jwk(Struct, kw_only=True):
    """A public key of RFC 8037."""

    kid: str
    x: str
    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    alg: Literal["EdDSA"] = "EdDSA"
    use: Literal["sig"] = "sig"


class P256Jwk(Struct, kw_only=True):
    """A public key of RFC 7518 §6.2."""

    kid: str
    x: str
    y: str
    kty: Literal["EC"] = "EC"
    crv: Literal["P-256"] = "P-256"
    alg: Literal["ES256"] = "ES256"
    use: Literal["sig"] = "sig"


class Ed25519Keys(Struct, kw_only=True):
    """A key set (RFC 7517 §5): the current key and retired ones whose signatures still stand."""

    keys: list[Ed25519Jwk]


class P256Keys(Struct, kw_only=True):
    """A key set (RFC 7517 §5): the current key and retired ones whose signatures still stand."""

    keys: list[P256Jwk]


@get("/.well-known/qr-keys.json", actors=("public",), operation_id="qr_keys", tags=TAGS, problems=())
async def qr_keys(call: NamedDependency[Call]) -> Response[Ed25519Keys]:
    """Keys of scanned codes; an app pins them and checks a doctor's code without a network."""
    keys = call.keys.public_keys("qr")
    return answer(Ed25519Keys(keys=[_ed25519(kid, key) for kid, key in sorted(keys.items())]))


@get("/.well-known/paper-keys.json", actors=("public",), operation_id="paper_keys", tags=TAGS, problems=())
async def paper_keys(call: NamedDependency[Call]) -> Response[Ed25519Keys]:
    """Keys of the codes on printed papers.

    That one is ours can be checked without us; that it still stands cannot.
    """
    keys = call.keys.public_keys("paper")
    return answer(Ed25519Keys(keys=[_ed25519(kid, key) for kid, key in sorted(keys.items())]))


@get(
    "/.well-known/consent-keys.json", actors=("public",), operation_id="consent_keys", tags=TAGS, problems=()
)
async def consent_keys(call: NamedDependency[Call]) -> Response[P256Keys]:
    """Keys of consent artefacts (ES256)."""
    keys = call.keys.public_keys("consent-artefact")
    return answer(P256Keys(keys=[_p256(kid, key) for kid, key in sorted(keys.items())]))


@get(
    "/.well-known/partner-keys.json", actors=("public",), operation_id="partner_keys", tags=TAGS, problems=()
)
async def partner_keys(call: NamedDependency[Call]) -> Response[P256Keys]:
    """Keys of what partners are handed and of their webhooks (ES256)."""
    keys = call.keys.public_keys("partner")
    return answer(P256Keys(keys=[_p256(kid, key) for kid, key in sorted(keys.items())]))


def _ed25519(kid: str, key: object) -> Ed25519Jwk:
    assert isinstance(key, Ed25519PublicKey)
    return Ed25519Jwk(kid=kid, x=to_base64url(key.public_bytes_raw()))


def _p256(kid: str, key: object) -> P256Jwk:
    assert isinstance(key, EllipticCurvePublicKey)
    numbers = key.public_numbers()
    return P256Jwk(kid=kid, x=_coordinate(numbers.x), y=_coordinate(numbers.y))


def _coordinate(value: int) -> str:
    return to_base64url(value.to_bytes(COORDINATE_BYTES))


handlers: list[Any] = [qr_keys, paper_keys, consent_keys, partner_keys]
