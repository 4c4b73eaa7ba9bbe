"""Counts of people as they are published: a multiple of 5 next to the true one (security.md S30).

Up or down is decided by chance that a secret fixes for ever per cell: on average nothing is lost, and who
asks again learns nothing.
"""

import hashlib
import hmac
from typing import Final

BASE: Final = 5


def chance_of(secret: bytes, *cell: str) -> int:
    """The chance of a cell, 0 to 4: the same for ever."""
    return int.from_bytes(hmac.digest(secret, "\x1f".join(cell).encode(), hashlib.sha256)[:8]) % BASE


def rounded(count: int, chance: int) -> int:
    """A multiple of 5 next to the count; a count that is one stays."""
    return (count + chance) // BASE * BASE
