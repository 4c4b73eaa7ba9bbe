"""What the stand-in identity provider hands out: codes and tokens that carry everything themselves, sealed
with the demo's own key, so that every server process understands them and nothing is stored."""

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws
from joserfc.jwk import ECKey
from msgspec import Struct

from identity.tokens import from_base64url, to_base64url
from kernel.ids import uuid7
from partners.verifiers.id_tokens import code_challenge, half_hash
from store.fields import FieldSealError, seal, unseal
from store.keys import KeyRing

KEY_ID: Final = "mo-phong-1"
ALGORITHM: Final = "ES256"
CODE_SECONDS: Final = 60
TOKEN_SECONDS: Final = 300
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Agreed(Struct, frozen=True, kw_only=True):
    """What somebody agreed to on the page. claims: what the tokens will say of the person."""

    client_id: str
    redirect_uri: str
    challenge: str
    nonce: str
    claims: dict[str, Any]
    at: int


def write(keys: KeyRing, kind: str, agreed: Agreed, now: datetime) -> str:
    """A code or an access token."""
    place = uuid7(now)
    sealed = seal(keys, place, "demo_identity", kind, msgspec.json.encode(agreed).decode())
    return to_base64url(place.bytes + sealed)


def read(keys: KeyRing, kind: str, text: str, now: datetime) -> Agreed | None:
    """What it carries, while it lives."""
    raw = from_base64url(text)
    if raw is None or len(raw) < 32:
        return None
    try:
        opened = unseal(keys, UUID(bytes=raw[:16]), "demo_identity", kind, raw[16:])
    except FieldSealError:
        return None
    agreed = msgspec.json.decode(opened, type=Agreed)
    life = CODE_SECONDS if kind == "code" else TOKEN_SECONDS
    return agreed if 0 <= now.timestamp() - agreed.at < life else None


def verifier_fits(agreed: Agreed, verifier: str) -> bool:
    """PKCE, S256 alone."""
    return hmac.compare_digest(code_challenge(verifier).encode(), agreed.challenge.encode())


def id_token(keys: KeyRing, issuer: str, agreed: Agreed, access_token: str, now: datetime) -> str:
    """Signed with a key that is made of the demo's own: the same in every process and after a restart."""
    at = int(now.timestamp())
    claims = {
        "iss": issuer,
        "aud": agreed.client_id,
        "iat": at,
        "exp": at + TOKEN_SECONDS,
        "auth_time": agreed.at,
        "at_hash": half_hash(ALGORITHM, access_token),
        **({"nonce": agreed.nonce} if agreed.nonce else {}),
        **agreed.claims,
    }
    header = {"alg": ALGORITHM, "kid": KEY_ID, "typ": "JWT"}
    return jws.serialize_compact(header, json.dumps(claims), _key(keys))


def jwks(keys: KeyRing) -> dict[str, Any]:
    """The public half."""
    public = _key(keys).as_dict(private=False)
    return {"keys": [{**public, "kid": KEY_ID, "use": "sig", "alg": ALGORITHM}]}


def _key(keys: KeyRing) -> ECKey:
    master = keys.first_secret("field")  # one key under one KEY_ID, whatever is rotated meanwhile
    number = int.from_bytes(hmac.digest(master, b"demo identity provider", hashlib.sha384), "big")
    return ECKey.import_key(ec.derive_private_key(number % (_ORDER - 1) + 1, ec.SECP256R1()))
