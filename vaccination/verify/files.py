"""The texts that a file holds."""

from typing import Final

import msgspec

BYTES_MAX: Final = 12 * 1024 * 1024
CARDS_MAX: Final = 100
_PICTURES: Final = (b"\x89PNG", b"\xff\xd8\xff")
# Ours come in these forms too; nothing here draws them again to read them.
_DRAWINGS: Final = (b"<", b"%PDF")


class FileError(Exception):
    """No text, no cards and no picture."""


class CardFile(msgspec.Struct, rename="camel"):
    """A `.smart-health-card` file (SMART Health Cards 1.4.0)."""

    verifiable_credential: list[str]


class SavedText(msgspec.Struct):
    """The answer of the route of a certificate's text, as it was saved."""

    text: str


class SavedCode(msgspec.Struct):
    qr: str


class SavedCodes(msgspec.Struct):
    """The answer of the route of a card's codes."""

    codes: list[SavedCode]


def texts_of(data: bytes) -> list[str]:
    """The cards of a `.smart-health-card` file, what our own routes answered, or a text without its line end;
    nothing for a picture. Raises FileError."""
    if data.startswith(_PICTURES):
        return []
    if len(data) > BYTES_MAX:
        raise FileError("too large")
    begins = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if begins.startswith(_DRAWINGS):
        raise FileError("a drawing is not read: save the PNG of the code")
    if begins.startswith(b"{"):
        return _saved(begins)
    try:
        # Spaces belong to the text.
        return [data.removeprefix(b"\xef\xbb\xbf").decode().strip("\r\n")]
    except UnicodeDecodeError:
        raise FileError("neither a text nor a picture") from None


def _saved(data: bytes) -> list[str]:
    found = _cards(data)
    if found is None:
        raise FileError("no text of a code and no cards in this file")
    if not 0 < len(found) <= CARDS_MAX:
        raise FileError("no cards in this file, or too many")
    return found


def _cards(data: bytes) -> list[str] | None:
    for form in (CardFile, SavedText, SavedCodes):
        try:
            read = msgspec.json.decode(data, type=form)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        match read:
            case CardFile():
                return read.verifiable_credential
            case SavedText():
                return [read.text]
            case SavedCodes():
                return [code.qr for code in read.codes]
    return None
