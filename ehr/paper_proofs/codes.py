"""The code on a printed paper: signed so that nobody else can make one, sealed so that nobody else reads it.

Nothing is stored for a code, and two codes of one person cannot be linked. Its address holds all of it behind
`#`, which no browser sends (security.md S34).
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ehr.paper_proofs.models import Reference
from kernel.problems import Refused
from qr import tokens
from store.keys import KeyRing, KeyRingError

# Where a phone's camera lands.
PAGE_PATH: Final = "/kiem-tra-giay-to"
# As long as a paper is likely to be shown; a birth note is for a childhood. Ours.
CODE_LIFE: Final = timedelta(days=30 * 365)
NONCE_BYTES: Final = 12
CODE_CHARACTERS_MAX: Final = 2_000


def draw_code(keys: KeyRing, reference: Reference, now: datetime) -> str:
    """The fragment of a fresh code."""
    key_id, master = keys.secret("paper-reference")
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(_key(master)).encrypt(nonce, msgspec.msgpack.encode(reference), key_id.encode())
    body = {"k": key_id, "s": base64.urlsafe_b64encode(nonce + sealed).decode()}
    return tokens.to_fragment(tokens.sign(keys, "paper", body, now + CODE_LIFE, now))


def link_of(origin: str, fragment: str) -> str:
    """The text of the QR code."""
    return f"{origin}{PAGE_PATH}#{fragment}"


def read_code(keys: KeyRing, code: str, now: datetime) -> Reference | None:
    """What a code refers to; None where we did not make it, or somebody changed it."""
    text = tokens.from_fragment(code)
    body = tokens.read(keys, "paper", text, now)
    # One code has one spelling: the same bytes written otherwise were changed by somebody.
    if isinstance(body, Refused) or tokens.to_fragment(text) != code:
        return None
    try:
        raw = base64.urlsafe_b64decode(str(body["s"]))
        _, master = keys.secret("paper-reference", str(body["k"]))
        opened = AESGCM(_key(master)).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], str(body["k"]).encode())
        return msgspec.msgpack.decode(opened, type=Reference)
    except (InvalidTag, KeyError, KeyRingError, binascii.Error, ValueError, msgspec.MsgspecError):
        return None


def _key(master: bytes) -> bytes:
    return hmac.digest(master, b"healthbook paper code", hashlib.sha256)
