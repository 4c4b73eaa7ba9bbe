"""What scanners and keyboards do to a text on its way, undone where it is certain what was there before.

Undone: prefixes of the symbology (AIM, ISO/IEC 15424; Datalogic's label), line ends and tabs behind it, byte
order marks, UTF-8 that was read as Windows-1252, marks apart from their letters, capitals locked, a bar that
another layout types as another sign. Named and not undone: other layouts, input methods.
"""

import re
import unicodedata
from typing import Final

TEXT_MAX: Final = 4_000
# Controls, byte order marks and zero-width signs, which nothing that is scanned begins or ends with; blanks
# too: a base45 text never ends in one, since the value of a last letter is at most 32.
_ASCII_EDGES: Final = "".join(map(chr, range(33))) + "\x7f\ufeff\ufffe\u200b\u2060"
_EDGES: Final = _ASCII_EDGES + "".join(map(chr, range(127, 161)))
_LABEL: Final = re.compile(r"^\][A-Za-z][0-9A-Za-z]|^QR(?=SSK[0-9]|[0-9]{10}|[A-Z]{2}[0-9]{13})")
_FAMILY: Final = re.compile(r"SSK[0-9]+[^0-9]", re.IGNORECASE)
_HEAD: Final = re.compile(r"SSK[0-9]+:")
_LOCKED: Final = re.compile(r"ssk[0-9]+:[^A-Z]*")
# The unshifted digits of a French keyboard: what a scanner set to a US one types there.
_FRENCH_DIGITS: Final = frozenset("à&é\"'(-è_ç")
SEPARATORS: Final = "|｜¦~\\\t"


def cleaned(text: str) -> str:
    """The text as it was drawn, as far as that is certain."""
    # Controls of Latin-1 may be halves of letters until the text is repaired.
    text = repaired(text.strip(_ASCII_EDGES)[: 2 * TEXT_MAX]).strip(_EDGES)
    text = unicodedata.normalize("NFC", _LABEL.sub("", text, count=1).strip(_EDGES))
    # No letter of a signed code is small, so nothing is lost.
    return text.upper() if _LOCKED.fullmatch(text) else text


def repaired(text: str) -> str:
    """UTF-8 that was read as Windows-1252 or Latin-1, read again. Vietnamese text never passes for that."""
    if text.isascii():
        return text
    try:
        return bytes(_BYTES[sign] for sign in text).decode()
    except (KeyError, UnicodeDecodeError):
        return text


def fields_of(text: str) -> list[str]:
    """The fields of a card's text, by the bar or by what another keyboard layout makes of it."""
    separator = next((sign for sign in SEPARATORS if sign in text), SEPARATORS[0])
    return [field.strip() for field in text.split(separator)]


def is_typed_wrong(text: str) -> bool:
    """True where a keyboard layout or an input method has certainly changed the text beyond repair."""
    if _FAMILY.match(text):
        return not text.isascii() or not _HEAD.match(text)
    first = set(text[:12])
    return len(text) >= 12 and first <= _FRENCH_DIGITS and not first.isdisjoint("àéèç")


def _windows_1252() -> dict[str, int]:
    """Byte by sign; the five bytes that it leaves open are controls, as browsers have it."""
    signs = {chr(code): code for code in range(256)}
    for code in range(128, 160):
        try:
            signs[bytes((code,)).decode("cp1252")] = code
        except UnicodeDecodeError:
            continue
    return signs


_BYTES: Final = _windows_1252()
