"""The number of a certificate (Unique Vaccination Certificate Identifier, EU guidelines, annex 2)."""

import secrets
import string
from typing import Final

# As many letters as a UUID has bits (36²⁵ > 2¹²⁸); with the check character 28 after the prefix.
OPAQUE_CHARACTERS: Final = 26
_OPAQUE: Final = string.ascii_uppercase + string.digits
_LUHN: Final = _OPAQUE + "/:"
_VALUE: Final = {letter: value for value, letter in enumerate(_LUHN)}


def prefix_of(country: str) -> str:
    """What numbers of a country begin with."""
    return f"URN:UVCI:01:{country}:"


def new_uvci(country: str) -> str:
    """A fresh number: random, of nobody, never used again."""
    text = prefix_of(country) + "".join(secrets.choice(_OPAQUE) for _ in range(OPAQUE_CHARACTERS))
    return f"{text}#{check_character(text)}"


def check_character(text: str) -> str:
    """Luhn modulo 38 over the whole text, `URN:UVCI:` included. Raises ValueError for any other letter."""
    total = 0
    for at, letter in enumerate(reversed(text)):
        if letter not in _VALUE:
            raise ValueError("letter outside the alphabet")
        value = _VALUE[letter] * (1 + (at + 1) % 2)
        total += value // len(_LUHN) + value % len(_LUHN)
    return _LUHN[-total % len(_LUHN)]


def is_checked(uvci: str) -> bool:
    """Whether the character behind `#` fits. In the field half do not: nothing is refused for it."""
    text, _, check = uvci.rpartition("#")
    try:
        return bool(text) and check_character(text) == check
    except ValueError:
        return False
