"""The citizen's rotating identification code: 60 seconds, signed, opaque, and granting nothing.

The body holds the person's id encrypted under a key of ours, so a picture of the code tells a
stranger nothing and two codes of one person cannot be linked. Nothing is stored for a code.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from kernel.problems import Refused
from qr import tokens
from qr.problems import QR_FORGED
from store.keys import KeyRing, KeyRingError

CODE_TTL: Final = timedelta(seconds=60)
NONCE_BYTES: Final = 12


class Identified(Struct, frozen=True, kw_only=True):
    """Whose code was scanned; `code_id` is the same for every scan of one drawn code."""

    patient_id: UUID
    code_id: UUID


class IdentificationCode(Struct, frozen=True, kw_only=True):
    qr: str
    expires_at: datetime


def draw_code(keys: KeyRing, patient_id: UUID, now: datetime) -> IdentificationCode:
    """The text of a fresh code."""
    key_id, master = keys.secret("identification")
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(_key(master)).encrypt(nonce, patient_id.bytes, key_id.encode())
    body = {"k": key_id, "s": base64.urlsafe_b64encode(nonce + sealed).decode()}
    expires_at = (now + CODE_TTL).replace(microsecond=0)
    return IdentificationCode(qr=tokens.sign(keys, "citizen", body, expires_at, now), expires_at=expires_at)


def read_code(keys: KeyRing, text: str, now: datetime) -> Identified | Refused:
    """Whose code it is. Refused: qr-expired after 60 seconds, qr-signature-invalid, qr-wrong-kind …"""
    body = tokens.read(keys, "citizen", text, now)
    if isinstance(body, Refused):
        return body
    try:
        raw = base64.urlsafe_b64decode(str(body["s"]))
        _, master = keys.secret("identification", str(body["k"]))
        opened = AESGCM(_key(master)).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], str(body["k"]).encode())
    except (InvalidTag, KeyError, KeyRingError, binascii.Error, ValueError):
        return Refused(problem=QR_FORGED, where="qr")
    return Identified(patient_id=UUID(bytes=opened), code_id=UUID(bytes=hashlib.sha256(raw).digest()[:16]))


def _key(master: bytes) -> bytes:
    return hmac.digest(master, b"healthbook citizen code", hashlib.sha256)
