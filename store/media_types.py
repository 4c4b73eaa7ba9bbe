"""What a file is, told by its first bytes; no name and no header of the sender decides (security.md S35)."""

from typing import Final, Literal

MediaType = Literal[
    "image/jpeg",
    "image/png",
    "application/pdf",
    "application/dicom",
    "text/plain",
    "application/octet-stream",
]
UNKNOWN: Final[MediaType] = "application/octet-stream"
# DICOM PS3.10 §7.1: a preamble of 128 bytes, then the letters.
_DICOM_AT: Final = 128
HEAD_BYTES: Final = 512

_STARTS: Final[tuple[tuple[bytes, MediaType], ...]] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
)


def sniff(head: bytes) -> MediaType:
    """The media type of a file by its first HEAD_BYTES; markup of any kind stays unknown."""
    for start, media_type in _STARTS:
        if head.startswith(start):
            return media_type
    if head[_DICOM_AT : _DICOM_AT + 4] == b"DICM":
        return "application/dicom"
    return "text/plain" if _is_plain_text(head[:HEAD_BYTES]) else UNKNOWN


def _is_plain_text(head: bytes) -> bool:
    """UTF-8 without control signs that does not begin like markup; the last sign may be cut off."""
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:
            return False
        text = head[: error.start].decode()
    start = text.lstrip("\ufeff \t\r\n")
    return bool(start) and start[0] not in "<{" and all(c >= " " or c in "\t\r\n\f" for c in text)
