"""What a code refers to, sealed inside the code: nothing is stored for it, a stranger's picture of it tells
nothing, and two codes of one thing cannot be linked.

body = {"k": id of the secret, "s": base64url(nonce ‖ AES-256-GCM(content))}, under a key made from the secret
of a purpose and a label that no other use has.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from store.keys import KeyRing, KeyRingError, Purpose

NONCE_BYTES: Final = 12


def seal_reference(keys: KeyRing, purpose: Purpose, label: bytes, content: bytes) -> dict[str, str]:
    """The body of a code."""
    key_id, master = keys.secret(purpose)
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(_key(master, label)).encrypt(nonce, content, key_id.encode())
    return {"k": key_id, "s": base64.urlsafe_b64encode(nonce + sealed).decode()}


def open_reference(keys: KeyRing, purpose: Purpose, label: bytes, body: Mapping[str, object]) -> bytes | None:
    """The content again; None where we did not seal it under this purpose and label, or it was changed."""
    raw, key_id = sealed_bytes(body), str(body.get("k"))
    try:
        _, master = keys.secret(purpose, key_id)
        return AESGCM(_key(master, label)).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], key_id.encode())
    except (InvalidTag, KeyRingError, ValueError):
        return None


def sealed_bytes(body: Mapping[str, object]) -> bytes:
    """What is sealed, as bytes that name this one drawn code; empty where it is no base64url."""
    try:
        return base64.b64decode(str(body.get("s")), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


def _key(master: bytes, label: bytes) -> bytes:
    return hmac.digest(master, label, hashlib.sha256)
