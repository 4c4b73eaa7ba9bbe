"""The texts that a file holds."""

from typing import Final

import msgspec

BYTES_MAX: Final = 12 * 1024 * 1024
CARDS_MAX: Final = 100
_PICTURES: Final = (b"\x89PNG", b"\xff\xd8\xff")


class FileError(Exception):
    """No text, no cards and no picture."""


class CardFile(msgspec.Struct, rename="camel"):
    """A `.smart-health-card` file (SMART Health Cards 1.4.0)."""

    verifiable_credential: list[str]


def texts_of(data: bytes) -> list[str]:
    """The cards of a `.smart-health-card` file, or a text without its line end; nothing for a picture. Raises
    FileError."""
    if data.startswith(_PICTURES):
        return []
    if len(data) > BYTES_MAX:
        raise FileError("too large")
    if data.lstrip().startswith(b"{"):
        return _cards(data)
    try:
        # Spaces belong to the text.
        return [data.removeprefix(b"\xef\xbb\xbf").decode().strip("\r\n")]
    except UnicodeDecodeError:
        raise FileError("neither a text nor a picture") from None


def _cards(data: bytes) -> list[str]:
    try:
        cards = msgspec.json.decode(data, type=CardFile).verifiable_credential
    except (msgspec.DecodeError, RecursionError):
        raise FileError("not a .smart-health-card file") from None
    if not 0 < len(cards) <= CARDS_MAX:
        raise FileError("no cards in this file, or too many")
    return cards
