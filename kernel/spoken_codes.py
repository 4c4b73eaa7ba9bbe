"""Codes that people read aloud and type: Crockford's base 32, which confuses no two signs."""

import secrets
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Letters that Crockford reads as digits.
_LIKE: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": ""})


def draw(length: int) -> str:
    """So many random signs of five bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def in_groups(code: str) -> str:
    """As people read it: groups of four."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def typed(text: str, length: int, prefix: str = "") -> str | None:
    """The code that somebody typed or scanned; None for what cannot be one. prefix: of the QR picture."""
    code = text.strip().upper().removeprefix(prefix).translate(_LIKE)
    return code if len(code) == length and set(code) <= set(ALPHABET) else None
