"""Eight characters of Crockford's base 32: 40 bits, read aloud without confusion (consent.md §3.2)."""

import hashlib
import hmac
from datetime import timedelta
from typing import Final

from kernel import spoken_codes
from store.keys import KeyRing

LENGTH: Final = 8
LIFE: Final = timedelta(minutes=10)
# What stands before the code in its QR picture.
QR_PREFIX: Final = "SSK-CODE:"
TYPED_MAX: Final = 32


def draw() -> str:
    return spoken_codes.draw(LENGTH)


def shown(code: str) -> str:
    """As people read it: two groups of four."""
    return spoken_codes.in_groups(code)


def typed(text: str) -> str | None:
    """The code that somebody typed or scanned; None for what cannot be one."""
    return spoken_codes.typed(text, LENGTH, QR_PREFIX)


def code_hashes(keys: KeyRing, code: str) -> list[bytes]:
    """HMAC-SHA256(pepper, code) under each pepper; a row keeps the first, of the current one."""
    text = b"share code\0" + code.encode()
    return [hmac.digest(pepper, text, hashlib.sha256) for _, pepper in keys.secrets("pepper")]
