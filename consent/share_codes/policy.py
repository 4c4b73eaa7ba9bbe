"""Eight characters of Crockford's base 32: 40 bits, read aloud without confusion (consent.md §3.2)."""

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Final

from store.keys import KeyRing

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 8
LIFE: Final = timedelta(minutes=10)
# What stands before the code in its QR picture.
QR_PREFIX: Final = "SSK-CODE:"
TYPED_MAX: Final = 32
# Letters that Crockford reads as digits.
_LIKE: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": ""})


def draw() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def shown(code: str) -> str:
    """As people read it: two groups of four."""
    return f"{code[:4]}-{code[4:]}"


def typed(text: str) -> str | None:
    """The code that somebody typed or scanned; None for what cannot be one."""
    code = text.strip().upper().removeprefix(QR_PREFIX).translate(_LIKE)
    return code if len(code) == LENGTH and set(code) <= set(ALPHABET) else None


def code_hash(keys: KeyRing, code: str) -> bytes:
    """HMAC-SHA256(pepper, code): what a row keeps of it."""
    _, pepper = keys.secret("pepper")
    return hmac.digest(pepper, b"share code\0" + code.encode(), hashlib.sha256)
