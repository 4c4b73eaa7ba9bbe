"""Signatures of device keys: ES256 over the given bytes, from an app key or a WebAuthn credential.

An app key is a P-256 JWK and its signature r‖s, 64 bytes base64url (RFC 7515). A browser's step-up
key is a WebAuthn credential whose challenge is the SHA-256 of the signed text.
"""

import hashlib
from typing import Annotated, Literal

import msgspec
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec import Meta, Struct

from identity.tokens import from_base64url, to_base64url

SIGNATURE_BYTES = 64
WEBAUTHN_BYTES_MAX = 8192


class Jwk(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A P-256 public key (RFC 7517), coordinates in base64url."""

    kty: Literal["EC"] = "EC"
    crv: Literal["P-256"] = "P-256"
    x: Annotated[str, Meta(min_length=43, max_length=43)]
    y: Annotated[str, Meta(min_length=43, max_length=43)]


class WebAuthnKey(Struct, frozen=True, kw_only=True):
    """A registered browser credential: ids and COSE key in base64url, and where it may be used."""

    credential_id: str
    public_key: str
    rp_id: str
    origin: str


def public_key(jwk: Jwk) -> ec.EllipticCurvePublicKey | None:
    """The key, or None when the text is no point of P-256."""
    x, y = from_base64url(jwk.x), from_base64url(jwk.y)
    if x is None or y is None or len(x) != 32 or len(y) != 32:
        return None
    numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), ec.SECP256R1())
    try:
        return numbers.public_key()
    except ValueError:
        return None


def es256_holds(jwk: Jwk, text: bytes, signature: str) -> bool:
    key, raw = public_key(jwk), from_base64url(signature)
    if key is None or raw is None or len(raw) != SIGNATURE_BYTES:
        return False
    pair = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    try:
        key.verify(pair, text, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def webauthn_registration(response: str, text: bytes, rp_id: str, origin: str) -> WebAuthnKey | None:
    """A browser's answer to navigator.credentials.create(), user verified; None when it does not hold.

    The challenge is the SHA-256 of `text`.
    """
    if len(response) > WEBAUTHN_BYTES_MAX:
        return None
    # Here because it brings OpenSSL along, a third of a start's imports, and only browsers need it.
    import webauthn  # noqa: PLC0415
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415

    try:
        checked = webauthn.verify_registration_response(
            credential=response,
            expected_challenge=hashlib.sha256(text).digest(),
            expected_rp_id=rp_id,
            expected_origin=origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return None
    return WebAuthnKey(
        credential_id=to_base64url(checked.credential_id),
        public_key=to_base64url(checked.credential_public_key),
        rp_id=rp_id,
        origin=origin,
    )


def webauthn_count(key: WebAuthnKey, text: bytes, assertion: str, sign_count: int) -> int | None:
    """The authenticator's new counter when the assertion over `text` holds, else None."""
    stored = from_base64url(key.public_key)
    if len(assertion) > WEBAUTHN_BYTES_MAX or stored is None:
        return None
    import webauthn  # noqa: PLC0415 - as above
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415

    try:
        checked = webauthn.verify_authentication_response(
            credential=assertion,
            expected_challenge=hashlib.sha256(text).digest(),
            expected_rp_id=key.rp_id,
            expected_origin=key.origin,
            credential_public_key=stored,
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return None
    own = to_base64url(checked.credential_id) == key.credential_id
    return checked.new_sign_count if own else None


def canonical(body: dict[str, str | int]) -> bytes:
    """JCS (RFC 8785), the form that devices sign."""
    return rfc8785.dumps(dict(body))


def is_canonical(text: bytes) -> bool:
    """True for a JSON object in JCS: two readers can't see two different acts in one signature."""
    try:
        return rfc8785.dumps(msgspec.json.decode(text, type=dict[str, object])) == text  # type: ignore[arg-type]
    except (msgspec.MsgspecError, rfc8785.CanonicalizationError):
        return False
