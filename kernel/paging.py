"""Keyset paging with opaque cursors; a page is never counted."""

import base64
import binascii
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from kernel.problems import ProblemType, declare, refuse

T = TypeVar("T")

PAGE_MAX = 100
PAGE_DEFAULT = 50
# A cursor can hold a name, of at most 200 characters of three bytes, beside an id.
CURSOR_MAX = 1200

BAD_CURSOR = declare(
    ProblemType(
        code="bad-cursor",
        status=400,
        vi="Dấu trang không hợp lệ.",
        en="The page cursor is not valid.",
        next_vi="Tải lại danh sách từ đầu.",
        next_en="Load the list again from its start.",
    )
)


def encode_cursor(*keys: str | int | float | None) -> str:
    """The keyset of the last row, as an opaque URL-safe text."""
    return base64.urlsafe_b64encode(msgspec.json.encode(keys)).rstrip(b"=").decode()


def decode_cursor(cursor: str, shape: type[T]) -> T:
    """The keyset again, checked against `shape`. Raises the problem `bad-cursor`."""
    try:
        raw = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
        keys = msgspec.json.decode(raw, type=shape)
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        refuse(BAD_CURSOR, "cursor")
    if b"\\u0000" in raw:  # no database text holds it
        refuse(BAD_CURSOR, "cursor")
    try:
        for key in keys if isinstance(keys, tuple) else ():
            if isinstance(key, datetime):
                key.astimezone(UTC)
    except OverflowError:  # nor any time before the first year or after the last
        refuse(BAD_CURSOR, "cursor")
    return keys
