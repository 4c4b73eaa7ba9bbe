"""Reading CBOR that strangers wrote (RFC 8949): bounded, one item, and no tag that builds an object."""

import io
from collections.abc import Callable
from typing import Any, Final

import cbor2

# A certificate nests nine deep, envelope and claims together.
DEPTH_MAX: Final = 32


class CborError(Exception):
    """Not one well-formed item within the bounds."""


def decode(data: bytes) -> Any:
    """One item and nothing after it. Dates stay as written, with or without their tag. Raises CborError."""
    stream = io.BytesIO(data)
    try:
        item = cbor2.load(stream, semantic_decoders=_TAGS, max_depth=DEPTH_MAX, allow_duplicate_keys=False)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError) as error:
        raise CborError(type(error).__name__) from error
    if stream.read(1):
        raise CborError("bytes after the end")
    return item


def head(major: int, length: int) -> bytes:
    """The first bytes of an item: its major type and its length (RFC 8949 §3)."""
    if length < 24:
        return bytes((major << 5 | length,))
    if length < 1 << 8:
        return bytes((major << 5 | 24, length))
    if length < 1 << 16:
        return bytes((major << 5 | 25,)) + length.to_bytes(2, "big")
    return bytes((major << 5 | 26,)) + length.to_bytes(4, "big")


def byte_string(data: bytes) -> bytes:
    return head(2, len(data)) + data


def _as_written(tag: int) -> Callable[[object, bool], object]:
    """A date as text or number; around anything else the tag stands as one that nobody knows."""

    def read(value: object, _immutable: bool) -> object:
        is_date = isinstance(value, str | int | float) and not isinstance(value, bool)
        return value if is_date else cbor2.CBORTag(tag, value)

    return read


def _refused(_value: object, _immutable: bool) -> object:
    raise ValueError("tag")


# What cbor2 would build by itself: dates are kept as text, and the rest (references that multiply, patterns,
# messages, fractions) has no place in a certificate.
_TAGS: Final[dict[int, Callable[[object, bool], object]]] = {
    **{tag: _as_written(tag) for tag in (0, 1, 100, 1004)},
    **dict.fromkeys((4, 5, 25, 28, 29, 30, 35, 36, 37, 256, 258, 260, 261, 43000, 55799), _refused),
}
